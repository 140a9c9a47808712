// The native of std.process: runs a program to its end, with its streams in memory.
#include "base/os.h"
#include "stdlib/natives.h"

typedef struct {
  SkThread *thread;
  SkChild child;
  SkStr input;       // what is left of it
  SkBuf streams[2];  // what it wrote: output, errors
  SkOutside held;
  size_t limit_bytes;
  uint64_t deadline_ns;  // UINT64_MAX: none
  bool timed_out, too_much;
} SkRunCall;

#define POLL_MS 20

/// Strings as C has them, the first in front: `text` NULL if memory is out or one holds a NUL.
typedef struct {
  char **items;
  char *text;
  bool has_nul;
} Words;

static Words words_of(SkThread *thread, const SkString *first, const SkList *list) {
  Words words = {0};
  const SkRef *refs = list->length ? sk_list_data(thread->heap, (SkList *)(uintptr_t)list) : NULL;
  size_t bytes = first ? first->size_bytes + 1u : 0, count = list->length + (first ? 1u : 0u);
  for (uint32_t i = 0; i < list->length; i++)
    bytes += ((const SkString *)sk_gc_at(thread->heap, refs[i]))->size_bytes + 1u;
  words.items = sk_calloc(count + 1, sizeof *words.items);
  words.text = sk_malloc(bytes + 1);
  if (!words.items || !words.text) return words;
  char *to = words.text;
  for (size_t i = 0; i < count; i++) {
    const SkString *word =
        first && i == 0 ? first : sk_gc_at(thread->heap, refs[i - (first ? 1 : 0)]);
    words.has_nul |= memchr(word->data, 0, word->size_bytes) != NULL;
    words.items[i] = to;
    memcpy(to, word->data, word->size_bytes);
    to += word->size_bytes;
    *to++ = 0;
  }
  return words;
}

static void words_deinit(Words *words) {
  sk_free(words->items);
  sk_free(words->text);
}

static void close_end(int *end) {
  if (*end >= 0) sk_broker_close(*end);
  *end = -1;
}

/// As much of the input as it takes now.
static void feed(SkRunCall *run) {
  while (run->child.in >= 0) {
    size_t size = run->input.size < 65536 ? run->input.size : 65536;
    int64_t done = size ? sk_broker_write_some(run->child.in, run->input.data, size) : -1;
    if (size && done < 0 && sk_broker_would_wait()) return;
    if (done < 0) {
      close_end(&run->child.in);  // all is written, or it does not want more
    } else {
      run->input.data += done;
      run->input.size -= (uint32_t)done;
    }
  }
}

/// As much as it has written by now. False with a fault pending.
static bool drain(SkRunCall *run, int *end, SkBuf *out) {
  char chunk[16384];
  while (*end >= 0 && !run->too_much) {
    int64_t got = sk_broker_read(*end, chunk, sizeof chunk);
    if (got < 0 && sk_broker_would_wait()) return true;
    if (got <= 0) {
      close_end(end);
      return true;
    }
    size_t total = run->streams[0].size + run->streams[1].size + (size_t)got;
    run->too_much = total > run->limit_bytes;
    if (run->too_much) return true;
    if (!sk_native_charge(run->thread, (uint64_t)got / 16) ||
        !sk_outside_grow(&run->held, run->thread, total))
      return false;
    sk_buf_add(out, chunk, (size_t)got);
    if (out->failed) return sk_fault_memory(run->thread);
  }
  return true;
}

static bool drain_both(SkRunCall *run) {
  return drain(run, &run->child.out, &run->streams[0]) &&
         drain(run, &run->child.errors, &run->streams[1]);
}

/// Until it has ended. False with a fault or a stop pending; then it has been killed.
static bool follow(SkRunCall *run, int *code, int *signal) {
  bool fine = true, killed = false;
  while (true) {
    if (!killed) feed(run);
    if (fine && !drain_both(run)) fine = false;
    if (fine && !sk_native_may_go_on(run->thread)) fine = false;
    run->timed_out |= sk_os_monotonic_ns() >= run->deadline_ns;
    if (!killed && (!fine || run->timed_out || run->too_much)) {
      sk_broker_child_kill(&run->child);
      killed = true;
    }
    if (sk_broker_child_ended(&run->child, code, signal)) break;
    sk_broker_child_poll(&run->child, POLL_MS);
  }
  // What it wrote at last; what it left running may keep the pipe, and is not waited for.
  return fine && drain_both(run);
}

static bool give_bytes(SkThread *thread, const SkBuf *buf, SkSlot *result) {
  SkList *list = sk_list_new(thread, SK_TI_BYTES, (uint32_t)buf->size);
  SkHandle handle;
  if (!list) return false;
  if (buf->size) memcpy(sk_list_data(thread->heap, list), buf->data, buf->size);
  list->length = (uint32_t)buf->size;
  result->u = sk_gc_ref(thread->heap, list).bits;
  return sk_handle_new(thread->heap, (SkRef){result->ref}, &handle) || sk_fault_memory(thread);
}

/// Results: how it ended (0 by itself, 1 its time was over, 2 too much output), exit code, signal,
/// output, errors, why it was not started.
static bool give(SkRunCall *run, int code, int signal, SkSlot *result, SkBuf *problem) {
  SkThread *thread = run->thread;
  SK_HANDLES(scope, thread->heap);
  result[0].i = run->too_much ? 2 : run->timed_out ? 1 : 0;
  result[1].i = code;
  result[2].i = signal;
  if (problem->failed) return sk_fault_memory(thread);
  return give_bytes(thread, &run->streams[0], &result[3]) &&
         give_bytes(thread, &run->streams[1], &result[4]) &&
         sk_give_text(thread, &result[5], problem->data, problem->size);
}

bool sk_native_process_run(SkThread *thread, const SkGranted *granted, SkString *program,
                           SkList *args, SkList *env, SkList *input, int64_t limit_bytes,
                           int64_t timeout_ms, SkSlot *result) {
  SkBuf problem = {0};
  SkRunCall run = {.thread = thread, .deadline_ns = UINT64_MAX};
  run.limit_bytes = limit_bytes < 0 ? 0 : limit_bytes > INT32_MAX ? INT32_MAX : (size_t)limit_bytes;
  if (timeout_ms > 0 && timeout_ms < INT64_MAX / 2000000)
    run.deadline_ns = sk_os_monotonic_ns() + (uint64_t)timeout_ms * 1000000;
  run.input = sk_str_n(input->length ? sk_list_data(thread->heap, input) : "", input->length);
  Words words = words_of(thread, program, args), variables = words_of(thread, NULL, env);
  int code = 0, signal = 0;
  bool fine =
      (words.items && words.text && variables.items && variables.text) || sk_fault_memory(thread);
  if (fine && (words.has_nul || variables.has_nul)) {
    sk_buf_cstr(&problem, "an argument or variable holds a NUL");
  } else if (fine) {
    sk_vm_flush(thread->vm);
    if (sk_broker_spawn(granted, words.items, variables.items, &run.child, &problem))
      fine = follow(&run, &code, &signal);
  }
  close_end(&run.child.in);
  close_end(&run.child.out);
  close_end(&run.child.errors);
  words_deinit(&words);
  words_deinit(&variables);
  fine = fine && give(&run, code, signal, result, &problem);
  sk_outside_drop(&run.held);
  sk_buf_deinit(&run.streams[0]);
  sk_buf_deinit(&run.streams[1]);
  sk_buf_deinit(&problem);
  return fine;
}
