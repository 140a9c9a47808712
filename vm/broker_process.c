// The broker's processes. A grant names one program file. It is opened when the grant is made, and
// that very file is run, whatever stands at its path later.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <linux/close_range.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm/broker.h"
#include "vm/granted.h"

bool sk_broker_program_open(SkGrant *grant, SkBuf *error) {
  if (grant->scope.size == 0) return true;  // any program
  struct stat info;
  const char *why = NULL;
  if (memchr(grant->scope.data, 0, grant->scope.size) || grant->scope.data[0] != '/')
    why = "a program is granted by its absolute path";
  else if ((grant->folder = open(grant->scope.data, O_PATH | O_CLOEXEC)) < 0)
    why = strerror(errno);
  else if (fstat(grant->folder, &info) != 0 || !S_ISREG(info.st_mode) || !(info.st_mode & 0111))
    why = "it is no program";
  if (why) sk_buf_printf(error, "error: cannot grant process=%s: %s\n", grant->scope.data, why);
  return !why;
}

/// The grant whose scope is this very path; -1 and a problem if there is none.
static int find_program(const SkGranted *granted, const char *path, SkBuf *problem) {
  SkCaps *caps = &granted->thread->vm->caps;
  SkStr name = sk_str(path);
  if (path[0] == '/' && sk_caps_allow_name(caps, SK_CAP_PROCESS, SK_RIGHT_RUN, name)) {
    for (uint32_t at = 0;;) {
      const SkGrant *grant = sk_caps_next(caps, SK_CAP_PROCESS, SK_RIGHT_RUN, &at);
      if (!grant) break;
      if (grant->scope.size && sk_str_eq(grant->scope, name))
        return fcntl(grant->folder, F_DUPFD_CLOEXEC, 3);
      if (grant->scope.size == 0) {
        int fd = open(path, O_PATH | O_CLOEXEC);
        if (fd < 0) sk_buf_printf(problem, "%s: %s", path, strerror(errno));
        return fd;
      }
    }
  }
  sk_buf_printf(problem, "%s: permission denied: not a program that --allow=process grants", path);
  sk_caps_audit(caps, "denied", SK_CAP_PROCESS, SK_RIGHT_RUN, name, granted->native);
  return -1;
}

/// In the child: standard streams in place, everything else closes at exec.
static void start_program(int program, char *const *args, char *const *env, const int streams[3]) {
  for (int i = 0; i < 3; i++) {
    int fd = streams[i] >= 0 ? streams[i] : open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd == i)
      fcntl(fd, F_SETFD, 0);
    else if (dup2(fd, i) < 0)
      _exit(127);
  }
  // What somebody else opened without care does not get into the program either.
  close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
  setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  fexecve(program, args, env);
  // A script: its interpreter opens the descriptor by name, so it must stay open.
  fcntl(program, F_SETFD, 0);
  fexecve(program, args, env);
  _exit(127);
}

int64_t sk_broker_start(const SkGranted *granted, char *const *args, char *const *env,
                        const int streams[3], SkBuf *problem) {
  int program = find_program(granted, args[0], problem);
  if (program < 0) return -1;
  pid_t child = fork();
  if (child == 0) start_program(program, args, env, streams);
  if (child < 0) sk_buf_printf(problem, "%s: %s", args[0], strerror(errno));
  close(program);
  return child;
}

int sk_broker_wait(int64_t process, bool block) {
  int status;
  pid_t got;
  do {
    got = waitpid((pid_t)process, &status, block ? 0 : WNOHANG);
  } while (got < 0 && errno == EINTR);
  if (got == 0) return -1;
  if (got < 0) return 127;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// ---- programs whose streams are pipes -----------------------------------------------------------

static void close_all(int *ends, int count) {
  for (int i = 0; i < count; i++) {
    if (ends[i] >= 0) close(ends[i]);
    ends[i] = -1;
  }
}

bool sk_broker_spawn(const SkGranted *granted, char *const *args, char *const *env, SkChild *child,
                     SkBuf *problem) {
  int ends[6] = {-1, -1, -1, -1, -1, -1};  // read and write ends of input, output, errors
  bool fine = true;
  for (int i = 0; fine && i < 3; i++) fine = pipe2(&ends[i * 2], O_CLOEXEC) == 0;
  if (!fine) sk_buf_printf(problem, "%s: %s", args[0], strerror(errno));
  *child = (SkChild){-1, ends[1], ends[2], ends[4]};
  const int streams[3] = {ends[0], ends[3], ends[5]};
  if (fine) child->process = sk_broker_start(granted, args, env, streams, problem);
  fine = child->process > 0;
  if (fine) {
    setpgid((pid_t)child->process, (pid_t)child->process);  // whoever comes first
    const int ours[3] = {ends[1], ends[2], ends[4]};
    for (int i = 0; i < 3; i++) fcntl(ours[i], F_SETFL, O_NONBLOCK);
    ends[1] = ends[2] = ends[4] = -1;
  }
  close_all(ends, 6);
  return fine;
}

void sk_broker_child_poll(const SkChild *child, int wait_ms) {
  struct pollfd fds[3] = {{.fd = child->in, .events = POLLOUT},
                          {.fd = child->out, .events = POLLIN},
                          {.fd = child->errors, .events = POLLIN}};
  poll(fds, 3, wait_ms);
}

bool sk_broker_would_wait(void) {
  return errno == EAGAIN || errno == EINTR;
}

void sk_broker_child_kill(const SkChild *child) {
  if (child->process > 0 && kill(-(pid_t)child->process, SIGKILL) != 0)
    kill((pid_t)child->process, SIGKILL);
}

bool sk_broker_child_ended(SkChild *child, int *code, int *signal) {
  int status;
  pid_t got = waitpid((pid_t)child->process, &status, WNOHANG);
  if (got == 0 || (got < 0 && errno == EINTR)) return false;
  *signal = got > 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  *code = got < 0 ? 127 : *signal ? 128 + *signal : WEXITSTATUS(status);
  child->process = -1;
  return true;
}
