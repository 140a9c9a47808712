// Pending failures: making them, finding what catches them, and the stack trace.
#include <stdarg.h>
#include <stdio.h>

#include "vm/interp.h"

static const char *const fault_texts[] = {
#define FAULT(name, text) text,
#include "vm/faults.def"
};

// ---- traces -------------------------------------------------------------------------------------

typedef struct {
  SkThread *thread;
  const SkSlot *frame;
  uint32_t pc;  // of the running word; for callers of the word that called
  SkRef coroutine;
  uint32_t main_pc, main_frame;
  const SkNest *nest;
} Walk;

static Walk walk_from_here(SkThread *thread) {
  return (Walk){thread,          thread->frame,      thread->pc,  thread->coroutine,
                thread->main_pc, thread->main_frame, thread->nest};
}

static void walk_to_resumer(Walk *walk) {
  const SkThread *thread = walk->thread;
  const SkCoroutine *co = sk_gc_at(thread->heap, walk->coroutine);
  walk->coroutine = co->resumer;
  if (co->resumer.bits == 0) {
    walk->frame = thread->vm->main_stack + walk->main_frame;
    walk->pc = walk->main_pc - 1;
  } else {
    const SkCoroutine *other = sk_gc_at(thread->heap, co->resumer);
    walk->frame = sk_stack_slots(thread, other->stack) + other->frame;
    walk->pc = other->pc - 1;
  }
}

/// To the caller's frame; over the bottom of a coroutine's stack to its resumer. False: no more in
/// this call of the host.
static bool walk_up(Walk *walk) {
  uint64_t header = walk->frame[-1].u;
  if ((uint32_t)header != 0) {
    walk->frame -= (uint16_t)(header >> 32);
    walk->pc = (uint32_t)header - 1;
    return true;
  }
  if (walk->coroutine.bits == 0) return false;
  walk_to_resumer(walk);
  return true;
}

/// From the first frame of a call by C code to the frame whose native made the call.
static bool walk_out(Walk *walk) {
  const SkNest *nest = walk->nest;
  if (!nest || !nest->frame) return false;
  *walk = (Walk){walk->thread,  nest->frame,      nest->pc,   nest->coroutine,
                 nest->main_pc, nest->main_frame, nest->outer};
  return true;
}

static void place_of(const SkImageFunction *fn, uint32_t pc, SkTraceFrame *out) {
  *out = (SkTraceFrame){.function = fn->name, .source_path = fn->source_path};
  uint32_t low = 0, high = fn->line_count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (fn->lines[middle].offset <= pc)
      low = middle + 1;
    else
      high = middle;
  }
  if (fn->line_count == 0) return;
  if (low == 0) low = 1;  // before the first place: on the way in
  out->line = fn->lines[low - 1].line;
  out->column = fn->lines[low - 1].column;
}

uint32_t sk_trace(SkThread *thread, SkTraceFrame *out, uint32_t *depth) {
  Walk walk = walk_from_here(thread);
  uint32_t count = 0;
  *depth = 0;
  if (!walk.frame) return 0;
  do {
    uint32_t index = sk_image_function_at(thread->image, walk.pc);
    if (index == SK_NONE || thread->image->functions[index].is_hidden) continue;
    SkTraceFrame frame;
    place_of(&thread->image->functions[index], walk.pc, &frame);
    uint32_t at = (*depth)++;
    const uint32_t inner = SK_TRACE_LIMIT - 20;
    if (at >= SK_TRACE_LIMIT) {
      // The outermost frames move up: the last 20 places hold the last frames seen.
      memmove(&out[inner], &out[inner + 1], 19 * sizeof frame);
      at = SK_TRACE_LIMIT - 1;
    }
    out[at] = frame;
    count = at + 1;
  } while (walk_up(&walk) || walk_out(&walk));
  return count;
}

void sk_capture_trace(SkThread *thread) {
  SkVm *vm = thread->vm;
  vm->trace_count = sk_trace(thread, vm->trace, &vm->trace_depth);
}

// ---- making failures ----------------------------------------------------------------------------

bool sk_fault_text(SkThread *thread, const char *format, ...) {
  SkVm *vm = thread->vm;
  char text[512];
  va_list args;
  va_start(args, format);
  int size = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (size < 0) size = 0;
  if ((size_t)size >= sizeof text) size = (int)sizeof text - 1;
  vm->pending = SK_PENDING_FAULT;
  vm->fault_text.size = 0;
  sk_buf_add(&vm->fault_text, text, (size_t)size);
  thread->fuel -= SK_FAULT_FUEL;
  sk_capture_trace(thread);
  return false;
}

bool sk_fault(SkThread *thread, SkFaultKind kind) {
  return sk_fault_text(thread, "%s", fault_texts[kind]);
}

bool sk_fault_index(SkThread *thread, int64_t index, uint32_t length) {
  return sk_fault_text(thread, "index %lld out of range 0..<%u", (long long)index, length);
}

bool sk_fault_fit(SkThread *thread, int64_t value, uint32_t storage) {
  static const char *const names[] = {"i8", "i16", "i32", "u8", "u16", "u32", "f32"};
  return sk_fault_text(thread, "value %lld does not fit %s", (long long)value,
                       names[storage - SK_MT_I8]);
}

bool sk_fault_memory(SkThread *thread) {
  return sk_fault(thread, SK_FAULT_MEMORY);
}

bool sk_fault_string(SkThread *thread, SkRef message, bool assertion) {
  const SkString *string = sk_gc_at(thread->heap, message);
  SkVm *vm = thread->vm;
  vm->pending = SK_PENDING_FAULT;
  vm->fault_text.size = 0;
  if (assertion)
    sk_buf_cstr(&vm->fault_text, string->size_bytes ? "assertion failed: " : "assertion failed");
  sk_buf_add(&vm->fault_text, string->data, string->size_bytes);
  thread->fuel -= SK_FAULT_FUEL;
  sk_capture_trace(thread);
  return false;
}

bool sk_throw(SkThread *thread, SkRef error) {
  thread->vm->pending = SK_PENDING_ERROR;
  thread->vm->error = error;
  thread->vm->error_traced = false;
  return false;
}

// ---- catching -----------------------------------------------------------------------------------

static const SkImageHandler *handler_at(const SkImage *image, uint32_t pc, bool is_fault) {
  uint32_t index = sk_image_function_at(image, pc);
  if (index == SK_NONE) return NULL;
  const SkImageFunction *fn = &image->functions[index];
  for (uint32_t i = 0; i < fn->handler_count; i++) {
    const SkImageHandler *handler = &fn->handlers[i];
    if (pc >= handler->start && pc < handler->end && handler->is_fault == is_fault) return handler;
  }
  return NULL;
}

/// The thread leaves coroutines until it is in the one that the walk ended in.
static void leave_to(SkThread *thread, SkRef coroutine) {
  while (thread->coroutine.bits != coroutine.bits) sk_coroutine_abandon(thread);
}

bool sk_unwind(SkThread *thread) {
  SkVm *vm = thread->vm;
  if (vm->pending != SK_PENDING_ERROR && vm->pending != SK_PENDING_FAULT) return false;
  bool is_fault = vm->pending == SK_PENDING_FAULT;
  Walk walk = walk_from_here(thread);
  const SkImageHandler *handler = NULL;
  do {
    handler = handler_at(thread->image, walk.pc, is_fault);
  } while (!handler && walk_up(&walk));
  if (!handler) {
    if (!is_fault && !vm->error_traced) sk_capture_trace(thread);
    vm->error_traced = !is_fault;
    return false;
  }
  SkSlot *frame = (SkSlot *)(uintptr_t)walk.frame;
  leave_to(thread, walk.coroutine);
  thread->frame = frame;
  thread->pc = walk.pc;
  uint64_t value = vm->error.bits;
  if (is_fault) {
    SkStr text = sk_buf_view(&vm->fault_text);
    SkString *message = sk_string_new(thread, text.data, text.size);
    if (!message) {
      // Not even the message could be made: the next handler out may have more luck, or nobody.
      return false;
    }
    value = sk_gc_ref(thread->heap, message).bits;
  }
  if (handler->slot != 0xFFFF) frame[handler->slot].u = value;
  vm->pending = SK_PENDING_NONE;
  vm->error = SK_NULL_REF;
  thread->pc = handler->target;
  return true;
}
