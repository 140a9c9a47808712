// The broker's files. See broker.h for the rule; capability.h for what a grant holds.
//
// Two openers with one meaning: openat2 where the kernel has it, else, and wherever something
// beneath the grant is denied, a walk that opens one component after the other without following
// links, keeps the folders that it came through open, and goes back through them for "..".
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/os.h"
#include "vm/broker.h"
#include "vm/granted.h"

#define WALK_DEPTH 128
#define LINK_LIMIT 40
#define RETRY_LIMIT 64
#define PATH_BYTES 4096

static _Thread_local bool force_walk;
void sk_broker_force_walk(bool on) {
  force_walk = on;
}

// ---- names --------------------------------------------------------------------------------------

char *sk_broker_working_folder(void) {
  return getcwd(NULL, 0);
}

/// Absolute, without empty, "." and ".." parts, into out[PATH_BYTES]. By text alone: it only says
/// which grant is meant; what it leads to is for the kernel to say. False if too long.
static bool clean_path(const char *folder, SkStr path, char *out) {
  size_t at = 0;
  SkStr texts[2] = {folder ? sk_str(folder) : SK_STR(""), path};
  for (int t = path.size && path.data[0] == '/' ? 1 : 0; t < 2; t++) {
    const char *p = texts[t].data, *end = p + texts[t].size;
    while (p < end) {
      const char *slash = memchr(p, '/', (size_t)(end - p));
      size_t size = slash ? (size_t)(slash - p) : (size_t)(end - p);
      if (size == 2 && p[0] == '.' && p[1] == '.') {
        while (at > 0 && out[--at] != '/') {
        }
      } else if (size > 0 && !(size == 1 && p[0] == '.')) {
        if (at + size + 2 > PATH_BYTES) return false;
        out[at++] = '/';
        memcpy(out + at, p, size);
        at += size;
      }
      p += size + 1;
    }
  }
  if (at == 0) out[at++] = '/';
  out[at] = 0;
  return true;
}

/// The part of a clean path below a clean folder: "" for the folder itself; NULL if elsewhere.
static const char *below(const char *folder, const char *path) {
  size_t size = strcmp(folder, "/") == 0 ? 0 : strlen(folder);
  if (strncmp(folder, path, size) != 0 || (path[size] != '/' && path[size] != 0)) return NULL;
  path += size;
  return *path == '/' ? path + 1 : path;
}

// ---- grants -------------------------------------------------------------------------------------

/// File systems whose files are doors into the kernel or other processes.
static bool is_special(int fd) {
  static const uint32_t magics[] = {
      0x9fa0,     0x62656572, 0x1cd1,     0x64626720, 0x74726163, 0x73636673, 0x27e0eb,
      0x63677270, 0xcafe4a11, 0xde5e81e4, 0xf97cff8c, 0x62656570, 0x6e736673, 0x65735546,
  };  // proc sys devpts debug trace security cgroup cgroup2 bpf efivar selinux config ns fusectl
  struct statfs info;
  if (fstatfs(fd, &info) != 0) return true;
  for (size_t i = 0; i < SK_COUNT_OF(magics); i++) {
    if ((uint32_t)info.f_type == magics[i]) return true;
  }
  return false;
}

static char *copy_text(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = sk_malloc(size);
  if (copy) memcpy(copy, text, size);
  return copy;
}

static bool cannot_grant(const SkGrant *grant, const char *why, SkBuf *error) {
  sk_buf_printf(error, "error: cannot grant %s=%.*s: %s\n", sk_capability_infos[grant->kind].name,
                SK_STR_ARG(grant->scope), why);
  return false;
}

/// The folder that a file or something not yet there would lie in, and the name in it.
static bool open_leaf(SkGrant *grant) {
  char parent[PATH_BYTES];
  snprintf(parent, sizeof parent, "%s", grant->path);
  char *slash = strrchr(parent, '/');
  grant->leaf = copy_text(slash + 1);
  if (slash == parent) slash++;
  *slash = 0;
  grant->folder = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
  return grant->leaf != NULL;
}

bool sk_broker_grant_open(SkGrant *grant, const char *working_folder, SkBuf *error) {
  char path[PATH_BYTES];
  if (memchr(grant->scope.data, 0, grant->scope.size))
    return cannot_grant(grant, "the path holds a NUL", error);
  SkStr scope = grant->scope.size ? grant->scope : SK_STR("/");
  if (!clean_path(working_folder, scope, path))
    return cannot_grant(grant, "the path is too long", error);
  grant->path = copy_text(path);
  if (!grant->path) return false;
  struct stat info;
  // As the user wrote it: what is meant is what the system finds now.
  int fd = open(grant->scope.size ? grant->scope.data : "/", O_PATH | O_CLOEXEC);
  if (fd < 0) return open_leaf(grant);
  if (fstat(fd, &info) != 0 || is_special(fd)) {
    close(fd);
    return cannot_grant(grant, "it shows the system's inside, not files", error);
  }
  grant->device = info.st_dev;
  grant->inode = info.st_ino;
  if (S_ISDIR(info.st_mode)) {
    grant->folder = fd;
    return true;
  }
  close(fd);
  if (!S_ISREG(info.st_mode)) return cannot_grant(grant, "it is no file and no folder", error);
  char *real = realpath(grant->scope.data, NULL);
  if (!real) return open_leaf(grant);
  char *kept = grant->path;
  grant->path = real;
  bool fine = open_leaf(grant);
  grant->path = kept;
  free(real);
  return fine;
}

void sk_broker_grant_close(SkGrant *grant) {
  if (grant->folder >= 0) close(grant->folder);
  sk_free(grant->path);
  sk_free(grant->leaf);
}

bool sk_broker_grant_is_inside(const SkGrant *parent, const SkGrant *child) {
  return parent->path && child->path && !parent->leaf && below(parent->path, child->path);
}

// ---- opening ------------------------------------------------------------------------------------

static bool is_denied(const SkCaps *caps, SkCapability kind, int fd) {
  struct stat info;
  if (fstat(fd, &info) != 0) return true;
  for (uint32_t i = 0; i < caps->grant_count; i++) {
    const SkGrant *grant = caps->grants[i];
    if (grant->is_deny && grant->kind == kind && grant->inode == info.st_ino &&
        grant->device == info.st_dev && grant->inode != 0)
      return true;
  }
  return false;
}

typedef struct {
  const SkCaps *caps;
  SkCapability kind;
  int folders[WALK_DEPTH];  // [0] is the granted folder, not ours to close
  int depth;
  int links;
  char rest[PATH_BYTES];  // what is still to be resolved
} Walk;

/// The next component is a link: its target takes its place. Only relative targets stay beneath.
static bool splice_link(Walk *walk, int link, const char *after) {
  char target[PATH_BYTES], joined[PATH_BYTES];
  ssize_t size = readlinkat(link, "", target, sizeof target - 1);
  if (size < 0) return false;
  target[size] = 0;
  if (++walk->links > LINK_LIMIT) return errno = ELOOP, false;
  if (target[0] == '/') return errno = EXDEV, false;
  int total = snprintf(joined, sizeof joined, "%s%s%s", target, *after ? "/" : "", after);
  if (total < 0 || (size_t)total >= sizeof joined) return errno = ENAMETOOLONG, false;
  memcpy(walk->rest, joined, (size_t)total + 1);
  return true;
}

/// One component that is not the last, or the last one when `flags` is O_PATH.
static bool walk_step(Walk *walk, const char *name, const char *after) {
  int here = walk->folders[walk->depth];
  if (strcmp(name, "..") == 0) {
    if (walk->depth == 0) return errno = EXDEV, false;
    close(walk->folders[walk->depth--]);
    memmove(walk->rest, after, strlen(after) + 1);
    return true;
  }
  int fd = openat(here, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return false;
  struct stat info;
  bool fine = fstat(fd, &info) == 0;
  if (fine && S_ISLNK(info.st_mode)) {
    fine = splice_link(walk, fd, after);
  } else if (fine && !S_ISDIR(info.st_mode)) {
    fine = false;
    errno = ENOTDIR;
  } else if (fine && (is_special(fd) || is_denied(walk->caps, walk->kind, fd))) {
    fine = false;
    errno = EACCES;
  } else if (fine && walk->depth + 1 == WALK_DEPTH) {
    fine = false;
    errno = ENAMETOOLONG;
  } else if (fine) {
    walk->folders[++walk->depth] = fd;
    memmove(walk->rest, after, strlen(after) + 1);
    return true;
  }
  int error = errno;
  close(fd);
  errno = error;
  return fine;
}

/// The last component: 1 opened (*fd), 0 it was a link and the walk goes on, -1 failed.
static int walk_last(Walk *walk, const char *name, int flags, mode_t mode, int *fd) {
  int here = walk->folders[walk->depth];
  *fd = openat(here, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
  bool follows = flags & O_PATH && !(flags & O_NOFOLLOW);
  struct stat info;
  if (*fd >= 0 && follows && fstat(*fd, &info) == 0 && S_ISLNK(info.st_mode)) {
    bool fine = splice_link(walk, *fd, "");
    close(*fd);
    return fine ? 0 : -1;
  }
  if (*fd >= 0) return 1;
  if (errno != ELOOP && !(flags & O_DIRECTORY && errno == ENOTDIR)) return -1;
  int saved = errno;
  int link = openat(here, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (link < 0) return -1;
  bool fine = fstat(link, &info) == 0 && S_ISLNK(info.st_mode);
  if (!fine) errno = saved;
  if (fine) fine = splice_link(walk, link, "");
  saved = errno;
  close(link);
  errno = saved;
  return fine ? 0 : -1;
}

static int walk_open(const SkCaps *caps, SkCapability kind, int folder, const char *path, int flags,
                     mode_t mode) {
  Walk walk = {.caps = caps, .kind = kind, .folders = {folder}};
  if (strlen(path) >= sizeof walk.rest) return errno = ENAMETOOLONG, -1;
  strcpy(walk.rest, path);
  int fd = -1;
  while (true) {
    char name[256];
    char *start = walk.rest + strspn(walk.rest, "/");
    size_t size = strcspn(start, "/");
    if (size >= sizeof name) {
      errno = ENAMETOOLONG;
      break;
    }
    memcpy(name, start, size);
    name[size] = 0;
    const char *after = start + size + strspn(start + size, "/");
    bool is_last = *after == 0, is_dot = size == 0 || strcmp(name, ".") == 0;
    if (is_last && (is_dot || strcmp(name, "..") == 0)) {
      if (!is_dot && !walk_step(&walk, name, after)) break;
      fd = openat(walk.folders[walk.depth], ".", (flags & ~O_CREAT) | O_CLOEXEC, 0);
      break;
    }
    if (is_dot) {
      memmove(walk.rest, after, strlen(after) + 1);
    } else if (is_last) {
      if (walk_last(&walk, name, flags, mode, &fd) != 0) break;
    } else if (!walk_step(&walk, name, after)) {
      break;
    }
  }
  int error = errno;
  while (walk.depth > 0) close(walk.folders[walk.depth--]);
  if (fd >= 0 && is_denied(caps, kind, fd)) {
    close(fd);
    fd = -1;
    error = EACCES;
  }
  errno = error;
  return fd;
}

static int open_beneath(const SkCaps *caps, SkCapability kind, int folder, const char *path,
                        int flags, mode_t mode) {
  if (folder < 0) return errno = ENOENT, -1;
  if (*path == 0) path = ".";
  if (caps->has_deny[kind] || force_walk) return walk_open(caps, kind, folder, path, flags, mode);
  struct open_how how = {.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
                         .mode = flags & O_CREAT ? mode : 0,
                         .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
  for (int i = 0; i < RETRY_LIMIT; i++) {
    long fd = syscall(SYS_openat2, folder, path, &how, sizeof how);
    if (fd >= 0) return (int)fd;
    if (errno == ENOSYS || errno == EPERM) return walk_open(caps, kind, folder, path, flags, mode);
    if (errno != EAGAIN && errno != EINTR) return -1;
  }
  return -1;
}

// ---- which grant --------------------------------------------------------------------------------

/// Walks over the grants that cover a path.
typedef struct {
  const SkGranted *granted;
  SkStr path;
  char clean[PATH_BYTES];
  uint32_t at, rights;
  bool any;  // some grant covers it
  int error;
} Search;

static bool search_begin(Search *search, const SkGranted *granted, SkStr path, uint32_t rights,
                         SkBuf *problem) {
  const SkCaps *caps = &granted->thread->vm->caps;
  search->granted = granted;
  search->path = path;
  search->rights = rights;
  search->at = 0;
  search->any = false;
  search->error = 0;
  if (path.size == 0 || memchr(path.data, 0, path.size)) {
    sk_buf_cstr(problem, path.size ? "the path holds a NUL" : "the path is empty");
    return false;
  }
  if (!clean_path(caps->working_folder, path, search->clean)) {
    sk_buf_cstr(problem, "the path is too long");
    return false;
  }
  for (uint32_t i = 0; i < caps->grant_count; i++) {
    const SkGrant *grant = caps->grants[i];
    if (grant->is_deny && grant->kind == granted->kind && (grant->rights & rights) &&
        below(grant->path, search->clean))
      search->at = UINT32_MAX;
  }
  return true;
}

/// The next grant that covers the path, and the rest of the path below its folder.
static const SkGrant *search_next(Search *search, const char **rest) {
  const SkCaps *caps = &search->granted->thread->vm->caps;
  while (search->at != UINT32_MAX) {
    const SkGrant *grant = sk_caps_next(caps, search->granted->kind, search->rights, &search->at);
    if (!grant) return NULL;
    const char *found = below(grant->path, search->clean);
    if (!found || (grant->leaf && *found)) continue;
    *rest = grant->leaf ? grant->leaf : found;
    search->any = true;
    return grant;
  }
  return NULL;
}

/// What an operation came to, in words. Returns -1.
static int search_failed(const Search *search, SkBuf *problem) {
  const SkGranted *granted = search->granted;
  const char *name = sk_capability_infos[granted->kind].name;
  int error = search->error;
  sk_buf_str(problem, search->path);
  bool denied = !search->any || error == EXDEV || error == ELOOP || error == EACCES;
  if (!search->any && search->at == UINT32_MAX)
    sk_buf_printf(problem, ": permission denied: %s is denied there", name);
  else if (!search->any)
    sk_buf_printf(problem, ": permission denied: outside of what --allow=%s grants", name);
  else if (error == EXDEV || error == ELOOP)
    sk_buf_cstr(problem, ": permission denied: leads out of the granted folder");
  else if (error == ENOENT)
    sk_buf_cstr(problem, ": no such file");
  else if (error == ENOTDIR)
    sk_buf_cstr(problem, ": is no folder");
  else if (error == EISDIR)
    sk_buf_cstr(problem, ": is a folder");
  else
    sk_buf_printf(problem, ": %s", strerror(error));
  if (denied)
    sk_caps_audit(&granted->thread->vm->caps, "denied", granted->kind, search->rights, search->path,
                  granted->native);
  return -1;
}

// ---- files --------------------------------------------------------------------------------------

/// What was opened must be a regular file, or a folder where one is wanted; and no door.
static bool is_acceptable(int fd, bool folder, SkStr path, SkBuf *problem) {
  struct stat info;
  const char *why = NULL;
  if (fstat(fd, &info) != 0)
    why = "cannot be looked at";
  else if (is_special(fd))
    why = "permission denied: it shows the system's inside";
  else if (folder ? !S_ISDIR(info.st_mode) : !S_ISREG(info.st_mode))
    why = folder ? "is no folder" : S_ISDIR(info.st_mode) ? "is a folder" : "is no regular file";
  if (why) sk_buf_printf(problem, "%.*s: %s", SK_STR_ARG(path), why);
  return !why;
}

static int open_flags(unsigned flags, const SkGrant *grant) {
  int how = O_NONBLOCK | O_NOCTTY;
  bool writes = flags & (SK_OPEN_WRITE | SK_OPEN_APPEND);
  how |= flags & SK_OPEN_FOLDER ? O_RDONLY | O_DIRECTORY : writes ? O_WRONLY : O_RDONLY;
  if (flags & SK_OPEN_APPEND) how |= O_APPEND;
  if (flags & (SK_OPEN_CREATE | SK_OPEN_NEW) && grant->rights & SK_RIGHT_CREATE) how |= O_CREAT;
  if (flags & SK_OPEN_NEW) how |= O_EXCL;
  return how;
}

int sk_broker_open(const SkGranted *granted, SkStr path, unsigned flags, SkGrant **out,
                   SkBuf *problem) {
  Search search;
  bool writes = flags & (SK_OPEN_WRITE | SK_OPEN_APPEND);
  uint32_t rights = writes                   ? SK_RIGHT_WRITE
                    : flags & SK_OPEN_FOLDER ? SK_RIGHT_LIST
                                             : SK_RIGHT_READ;
  if (flags & SK_OPEN_NEW) rights |= SK_RIGHT_CREATE;
  if (!search_begin(&search, granted, path, rights, problem)) return -1;
  const SkCaps *caps = &granted->thread->vm->caps;
  const char *rest;
  for (const SkGrant *grant; (grant = search_next(&search, &rest));) {
    mode_t mode = flags & SK_OPEN_PRIVATE ? 0600 : 0666;
    int fd = open_beneath(caps, granted->kind, grant->folder, rest, open_flags(flags, grant), mode);
    if (fd < 0) {
      search.error = errno;
      continue;
    }
    if (!is_acceptable(fd, flags & SK_OPEN_FOLDER, path, problem)) {
      close(fd);
      return -1;
    }
    if (flags & SK_OPEN_TRUNCATE && ftruncate(fd, 0) != 0) {
      sk_buf_printf(problem, "%.*s: %s", SK_STR_ARG(path), strerror(errno));
      close(fd);
      return -1;
    }
    if (out) *out = (SkGrant *)(uintptr_t)grant;
    return fd;
  }
  return search_failed(&search, problem);
}

static int64_t milliseconds(struct timespec time) {
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

bool sk_broker_stat(const SkGranted *granted, SkStr path, bool follow, SkFileInfo *info,
                    SkBuf *problem) {
  Search search;
  *info = (SkFileInfo){0};
  if (!search_begin(&search, granted, path, SK_RIGHT_LIST, problem)) return false;
  const char *rest;
  for (const SkGrant *grant; (grant = search_next(&search, &rest));) {
    int fd = open_beneath(&granted->thread->vm->caps, granted->kind, grant->folder, rest,
                          O_PATH | (follow ? 0 : O_NOFOLLOW), 0);
    if (fd < 0) {
      search.error = errno;
      continue;
    }
    struct stat st;
    bool fine = fstat(fd, &st) == 0 && !is_special(fd);
    close(fd);
    if (!fine) {
      search.error = EXDEV;
      break;
    }
    *info = (SkFileInfo){.is_folder = S_ISDIR(st.st_mode),
                         .is_file = S_ISREG(st.st_mode),
                         .is_link = S_ISLNK(st.st_mode),
                         .mode = (int)(st.st_mode & 07777),
                         .size_bytes = st.st_size,
                         .modified_ms = milliseconds(st.st_mtim),
                         .accessed_ms = milliseconds(st.st_atim),
                         .changed_ms = milliseconds(st.st_ctim),
                         .device = (int64_t)st.st_dev,
                         .inode = (int64_t)st.st_ino};
    return true;
  }
  if (search.any && (search.error == ENOENT || search.error == ENOTDIR)) return false;
  search_failed(&search, problem);
  return false;
}

// ---- changing folders ---------------------------------------------------------------------------

/// The folder of a path's last component, opened beneath a grant, and that name. -1 and a problem.
/// *out is the grant.
static int open_parent_by(const SkGranted *granted, SkStr path, uint32_t rights, char name[256],
                          const SkGrant **out, SkBuf *problem) {
  Search search;
  if (!search_begin(&search, granted, path, rights, problem)) return -1;
  const char *rest;
  for (const SkGrant *grant; (grant = search_next(&search, &rest));) {
    const char *slash = strrchr(rest, '/'), *last = slash ? slash + 1 : rest;
    if (*last == 0 || strlen(last) > 255) {
      search.error = *last ? ENAMETOOLONG : EBUSY;  // the granted folder itself stays
      continue;
    }
    char folder[PATH_BYTES];
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - rest) : 0, rest);
    int fd = open_beneath(&granted->thread->vm->caps, granted->kind, grant->folder, folder,
                          O_PATH | O_DIRECTORY, 0);
    if (fd >= 0 && is_special(fd)) {
      close(fd);
      fd = -1;
      errno = EXDEV;
    }
    if (fd < 0) {
      search.error = errno;
      continue;
    }
    int inner = openat(fd, last, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (inner >= 0 && is_denied(&granted->thread->vm->caps, granted->kind, inner)) {
      search.any = false;
      search.at = UINT32_MAX;
      close(inner);
      close(fd);
      break;
    }
    if (inner >= 0) close(inner);
    strcpy(name, last);
    *out = grant;
    return fd;
  }
  return search_failed(&search, problem);
}

static int open_parent(const SkGranted *granted, SkStr path, uint32_t rights, char name[256],
                       SkBuf *problem) {
  const SkGrant *grant;
  return open_parent_by(granted, path, rights, name, &grant, problem);
}

static bool did(bool fine, SkStr path, SkBuf *problem) {
  if (!fine)
    sk_buf_printf(problem, "%.*s: %s", SK_STR_ARG(path),
                  errno == ENOENT ? "no such file" : strerror(errno));
  return fine;
}

bool sk_broker_make_folder(const SkGranted *granted, SkStr path, bool is_private, SkBuf *problem) {
  char name[256];
  int folder = open_parent(granted, path, SK_RIGHT_CREATE, name, problem);
  if (folder < 0) return false;
  bool fine = did(mkdirat(folder, name, is_private ? 0700 : 0777) == 0, path, problem);
  close(folder);
  return fine;
}

bool sk_broker_remove(const SkGranted *granted, SkStr path, SkBuf *problem) {
  char name[256];
  int folder = open_parent(granted, path, SK_RIGHT_DELETE, name, problem);
  if (folder < 0) return false;
  bool fine = unlinkat(folder, name, 0) == 0;
  if (!fine && (errno == EISDIR || errno == EPERM))
    fine = unlinkat(folder, name, AT_REMOVEDIR) == 0;
  fine = did(fine, path, problem);
  close(folder);
  return fine;
}

bool sk_broker_rename(const SkGranted *granted, SkStr from, SkStr to, SkBuf *problem) {
  char old_name[256], new_name[256];
  int old_folder = open_parent(granted, from, SK_RIGHT_DELETE | SK_RIGHT_CREATE, old_name, problem);
  if (old_folder < 0) return false;
  int new_folder = open_parent(granted, to, SK_RIGHT_CREATE | SK_RIGHT_DELETE, new_name, problem);
  bool fine = new_folder >= 0 &&
              did(renameat(old_folder, old_name, new_folder, new_name) == 0, from, problem);
  close(old_folder);
  if (new_folder >= 0) close(new_folder);
  return fine;
}

#define NEW_MODE ((mode_t)-1)  // what a new file gets anyway

/// What a file takes the place of must be a file or a link; its permissions stay.
static bool may_replace(int folder, const char *name, SkStr path, mode_t *mode, SkBuf *problem) {
  struct stat info;
  if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
    return errno == ENOENT || did(false, path, problem);
  if (S_ISREG(info.st_mode)) *mode = info.st_mode & 0777;
  if (S_ISREG(info.st_mode) || S_ISLNK(info.st_mode)) return true;
  sk_buf_printf(problem, "%.*s: %s", SK_STR_ARG(path),
                S_ISDIR(info.st_mode) ? "is a folder" : "is no regular file");
  return false;
}

/// The file beside, complete and durable.
static bool write_beside(int folder, const char *name, mode_t mode, const void *data, size_t size,
                         SkStr path, SkBuf *problem) {
  int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  int fd = openat(folder, name, flags, mode == NEW_MODE ? 0666 : 0600);
  if (fd < 0) return did(false, path, problem);
  bool fine = sk_broker_write_file(fd, data, size, path, problem);
  if (fine && mode != NEW_MODE && fchmod(fd, mode) != 0) fine = did(false, path, problem);
  if (fine && fsync(fd) != 0) fine = did(false, path, problem);
  if (close(fd) != 0 && fine) fine = did(false, path, problem);
  return fine;
}

bool sk_broker_replace(const SkGranted *granted, SkStr path, const void *data, size_t size,
                       SkBuf *problem) {
  char name[256], beside[64];
  uint64_t serial;
  int folder = open_parent(granted, path, SK_RIGHT_WRITE | SK_RIGHT_CREATE, name, problem);
  if (folder < 0) return false;
  sk_os_random(&serial, sizeof serial);
  snprintf(beside, sizeof beside, ".skerry-%016llx.tmp", (unsigned long long)serial);
  mode_t mode = NEW_MODE;
  bool fine = may_replace(folder, name, path, &mode, problem) &&
              write_beside(folder, beside, mode, data, size, path, problem);
  if (fine && renameat(folder, beside, folder, name) != 0) fine = did(false, path, problem);
  if (!fine) unlinkat(folder, beside, 0);
  int readable = fine ? openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  if (readable >= 0) {
    fsync(readable);  // the new name; some file systems cannot, and need not
    close(readable);
  }
  close(folder);
  return fine;
}

bool sk_broker_list(int fd, bool (*fn)(void *context, const char *name), void *context) {
  int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  DIR *folder = own >= 0 ? fdopendir(own) : NULL;
  if (!folder) {
    if (own >= 0) close(own);
    return false;
  }
  bool fine = true;
  for (struct dirent *entry; fine && (errno = 0, entry = readdir(folder));) {
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
      fine = fn(context, entry->d_name);
  }
  if (errno != 0) fine = false;
  closedir(folder);
  return fine;
}

// ---- a file and its companions ------------------------------------------------------------------

/// May the same file be read, too?
static bool may_read_too(const SkGranted *granted, SkStr path, SkBuf *problem) {
  SkGranted reading = *granted;
  reading.kind = SK_CAP_FS_READ;
  reading.rights = SK_RIGHT_READ;
  char name[256];
  int folder = open_parent(&reading, path, SK_RIGHT_READ, name, problem);
  if (folder >= 0) close(folder);
  return folder >= 0;
}

bool sk_broker_place_open(const SkGranted *granted, SkStr path, bool writes, SkPlace *place,
                          SkBuf *problem) {
  const SkGrant *grant = NULL;
  *place = (SkPlace){.folder = -1, .writes = writes, .kind = granted->kind};
  place->caps = &granted->thread->vm->caps;
  place->folder = open_parent_by(granted, path, granted->rights, place->name, &grant, problem);
  if (place->folder < 0) return false;
  if (writes && !may_read_too(granted, path, problem)) {
    sk_broker_place_close(place);
    return false;
  }
  place->grant = (SkGrant *)(uintptr_t)grant;
  place->has_companions = !grant->leaf;
  if (place->has_companions || !writes) return true;
  sk_buf_printf(problem, "%.*s: its folder must be granted: a journal is made beside the file",
                SK_STR_ARG(path));
  sk_broker_place_close(place);
  return false;
}

void sk_broker_place_close(SkPlace *place) {
  if (place->folder >= 0) close(place->folder);
  place->folder = -1;
}

/// The name with a suffix; false if the place does not give it.
static bool companion(const SkPlace *place, const char *suffix, char name[300]) {
  if (place->folder < 0 || !sk_grant_holds(place->grant)) return errno = EACCES, false;
  if (*suffix && !place->has_companions) return errno = ENOENT, false;
  snprintf(name, 300, "%s%s", place->name, suffix);
  return true;
}

int sk_broker_place_file(const SkPlace *place, const char *suffix, bool create) {
  char name[300];
  if (!companion(place, suffix, name)) return -1;
  int flags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  flags |= place->writes ? O_RDWR | (create ? O_CREAT : 0) : O_RDONLY;
  int fd = openat(place->folder, name, flags, 0666);
  struct stat info;
  if (fd >= 0 &&
      (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || is_special(fd) ||
       is_denied(place->caps, place->kind, fd) || is_denied(place->caps, SK_CAP_FS_READ, fd))) {
    close(fd);
    return errno = EACCES, -1;
  }
  return fd;
}

bool sk_broker_place_has(const SkPlace *place, const char *suffix) {
  char name[300];
  struct stat info;
  return companion(place, suffix, name) &&
         fstatat(place->folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && info.st_size > 0;
}

bool sk_broker_place_remove(const SkPlace *place, const char *suffix) {
  char name[300];
  return place->writes && companion(place, suffix, name) &&
         (unlinkat(place->folder, name, 0) == 0 || errno == ENOENT);
}

bool sk_broker_place_sync(const SkPlace *place) {
  int fd = openat(place->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return true;  // a folder that cannot be read cannot be synced, either
  bool fine = fsync(fd) == 0 || errno == EINVAL;
  close(fd);
  return fine;
}

int64_t sk_broker_read_at(int fd, void *data, size_t size, int64_t offset) {
  size_t done = 0;
  while (done < size) {
    ssize_t got = pread(fd, (char *)data + done, size - done, offset + (off_t)done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    done += (size_t)got;
  }
  return (int64_t)done;
}

bool sk_broker_write_at(int fd, const void *data, size_t size, int64_t offset) {
  return lseek(fd, offset, SEEK_SET) >= 0 && sk_broker_write(fd, data, size);
}

bool sk_broker_truncate(int fd, int64_t size) {
  return ftruncate(fd, size) == 0;
}

bool sk_broker_is_full(void) {
  return errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
}

static struct flock range(short type, int64_t start, int64_t count) {
  return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = count};
}

bool sk_broker_lock(int fd, SkLock lock, int64_t start, int64_t count) {
  static const short types[] = {F_UNLCK, F_RDLCK, F_WRLCK};
  struct flock wanted = range(types[lock], start, count);
  return fcntl(fd, F_OFD_SETLK, &wanted) == 0;
}

bool sk_broker_is_locked(int fd, int64_t start, int64_t count) {
  struct flock found = range(F_WRLCK, start, count);
  return fcntl(fd, F_OFD_GETLK, &found) == 0 && found.l_type != F_UNLCK;
}

// ---- time zones ---------------------------------------------------------------------------------

#define ZONES "/usr/share/zoneinfo"
#define ZONE_BYTES 65536

bool sk_broker_zone(const SkGranted *granted, SkStr name, SkBuf *out, SkBuf *problem) {
  char path[256], data[ZONE_BYTES];
  int fd = -1;
  if (name.size >= sizeof path || memchr(name.data, 0, name.size)) {
    errno = ENOENT;
  } else if (name.size == 0) {
    fd = open("/etc/localtime", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  } else {
    memcpy(path, name.data, name.size);
    path[name.size] = 0;
    int folder = open(ZONES, O_PATH | O_DIRECTORY | O_CLOEXEC);
    fd = open_beneath(&granted->thread->vm->caps, granted->kind, folder, path,
                      O_RDONLY | O_NONBLOCK, 0);
    if (folder >= 0) close(folder);
  }
  struct stat info;
  bool is_file = fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
                 info.st_size <= (off_t)sizeof data;
  int64_t got = is_file ? sk_broker_read(fd, data, sizeof data) : -1;
  if (fd >= 0) close(fd);
  if (got < 4 || memcmp(data, "TZif", 4) != 0) {
    sk_buf_printf(problem, "the host knows no time zone `%.*s`", SK_STR_ARG(name));
    return false;
  }
  sk_buf_add(out, data, (size_t)got);
  return !out->failed;
}

// ---- descriptors --------------------------------------------------------------------------------

int64_t sk_broker_read(int fd, void *data, size_t size) {
  while (true) {
    ssize_t got = read(fd, data, size);
    if (got >= 0 || errno != EINTR) return got;
  }
}

int64_t sk_broker_write_some(int fd, const void *data, size_t size) {
  sigset_t caught, old;
  sigemptyset(&caught);
  sigaddset(&caught, SIGXFSZ);
  sigaddset(&caught, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &caught, &old);
  ssize_t written = write(fd, data, size);
  int error = errno;
  int raised = written >= 0 ? 0 : error == EFBIG ? SIGXFSZ : error == EPIPE ? SIGPIPE : 0;
  if (raised && !sigismember(&old, raised)) {
    sigemptyset(&caught);
    sigaddset(&caught, raised);
    sigtimedwait(&caught, NULL, &(struct timespec){0});
  }
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  errno = error;
  return written;
}

/// How many bytes were written before something failed, or all.
static size_t write_most(int fd, const void *data, size_t size) {
  size_t done = 0;
  while (done < size) {
    int64_t written = sk_broker_write_some(fd, (const char *)data + done, size - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) break;
    done += (size_t)written;
  }
  return done;
}

bool sk_broker_write(int fd, const void *data, size_t size) {
  return write_most(fd, data, size) == size;
}

bool sk_broker_write_file(int fd, const void *data, size_t size, SkStr path, SkBuf *problem) {
  size_t done = write_most(fd, data, size);
  if (done == size) return true;
  sk_broker_explain(path, "cannot be written", problem);
  sk_buf_printf(problem, " (%zu of %zu bytes were)", done, size);
  return false;
}

int64_t sk_broker_size(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 ? info.st_size : -1;
}

bool sk_broker_seek(int fd, int64_t offset) {
  return lseek(fd, offset, SEEK_SET) >= 0;
}

void sk_broker_explain(SkStr path, const char *what, SkBuf *problem) {
  sk_buf_printf(problem, "%.*s: %s: %s", SK_STR_ARG(path), what, strerror(errno));
}

bool sk_broker_sync(int fd) {
  return fsync(fd) == 0;
}

void sk_broker_close(int fd) {
  close(fd);
}

struct SkResource *sk_broker_resource(const SkGranted *granted) {
  return granted->resource;
}
