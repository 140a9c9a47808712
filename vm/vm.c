// A virtual machine: made from an image, run, reported on, deleted.
#include "vm/vm.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "vm/broker.h"
#include "vm/domain.h"
#include "vm/loop.h"
#include "vm/extern.h"
#include "vm/host.h"
#include "vm/interp.h"
#include "vm/jit_hooks.h"
#include "vm/sampler.h"

#define DEFAULT_HEAP_BYTES ((size_t)1 << 30)
#define DEFAULT_STACK_SLOTS ((uint32_t)1 << 20)
#define STACK_MARGIN_SLOTS 8192u
#define OUT_BUFFER_BYTES ((size_t)64 * 1024)

// ---- rights -------------------------------------------------------------------------------------

/// A need is met by any grant of its capability: how far that reaches is checked at each use.
static bool check_needs(SkVm *vm, const SkImage *image, SkBuf *error) {
  for (uint32_t i = 0; i < image->need_count; i++) {
    const SkImageNeed *need = &image->needs[i];
    SkCapability kind = sk_capability_find(need->capability);
    if (need->module.size == 0) continue;  // refused where it is used
    bool met = kind != SK_CAP_COUNT && sk_caps_has(&vm->caps, kind);
    if (met && kind == SK_CAP_NATIVE && need->has_scope)
      met = sk_broker_may_call(&vm->caps, need->scope, SK_STR(""), NULL);
    if (met) continue;
    sk_buf_printf(error, "error: module %.*s needs %.*s, which was not granted\n",
                  SK_STR_ARG(need->module), SK_STR_ARG(need->capability));
    if (kind != SK_CAP_COUNT) {
      sk_caps_print_help(&vm->caps, kind, need->has_scope ? &need->scope : NULL, error);
      sk_caps_audit(&vm->caps, "denied", kind, 0, need->scope, need->module.data);
    }
    return false;
  }
  return true;
}

// ---- making -------------------------------------------------------------------------------------

static void mark_roots(void *context, SkMarker *marker) {
  SkVm *vm = ((SkThread *)context)->vm;
  const SkImage *image = vm->thread.image;
  for (uint32_t i = 0; i < image->const_count; i++) sk_gc_mark(marker, vm->consts[i]);
  for (uint32_t i = 0; i < image->global_slot_count; i++) {
    if (image->global_ref_map[i / 64] >> i % 64 & 1)
      sk_gc_mark(marker, (SkRef){vm->globals[i].ref});
  }
  sk_gc_mark(marker, vm->error);
  for (uint32_t i = 1; i < vm->held.count; i++) {
    if (vm->held.items[i].is_used) sk_gc_mark(marker, vm->held.items[i].ref);
  }
  if (vm->thread.nest) sk_mark_stack(&vm->thread, marker);
}

static bool make_consts(SkVm *vm) {
  const SkImage *image = vm->thread.image;
  for (uint32_t i = 0; i < image->const_count; i++) {
    const SkImageConst *item = &image->consts[i];
    void *made;
    if (item->kind == SK_CONST_STRING) {
      made = sk_string_new(&vm->thread, item->string.data, item->string.size);
    } else {
      SkObject *object =
          sk_gc_alloc(vm->thread.heap, item->type, image->types[item->type].gc.size_bytes);
      if (object) object->aux = item->aux;
      made = object;
    }
    if (!made) return false;
    vm->consts[i] = sk_gc_ref(vm->thread.heap, made);
  }
  return true;
}

static void set_hash_key(SkVm *vm) {
  uint64_t seed = vm->options.hash_seed ? vm->options.hash_seed : 0x5EED5EED5EED5EEDu;
  for (int i = 0; i < 2; i++) {  // splitmix64
    seed += 0x9E3779B97F4A7C15u;
    uint64_t z = seed;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    vm->hash_key[i] = (z ^ z >> 31) | 1;
  }
}

static bool make_heap(SkVm *vm, const SkImage *image) {
  uint32_t stack =
      vm->options.stack_limit_slots ? vm->options.stack_limit_slots : DEFAULT_STACK_SLOTS;
  size_t const_slots = (image->const_count * sizeof(SkRef) + 7) / 8;
  size_t flag_slots = image->global_flag_count / sizeof(SkSlot) + 1;
  size_t slots =
      const_slots + flag_slots + image->global_slot_count + 1 + stack + STACK_MARGIN_SLOTS;
  SkHeapOptions options = {
      .limit_bytes =
          vm->options.heap_limit_bytes ? vm->options.heap_limit_bytes : DEFAULT_HEAP_BYTES,
      .prefix_bytes = slots * sizeof(SkSlot),
      .context = &vm->thread,
      .context_bytes = sizeof *vm,
      .roots = mark_roots,
      .stack = sk_mark_coroutine_stack,
      .stress_every = vm->options.stress_every,
      .poison = vm->options.stress_every != 0,
      .verify = vm->options.verify_heap,
      .log = vm->options.log_gc ? &vm->gc_log : NULL,
      .pause = vm->options.sample ? sk_sampler_pause : NULL,
  };
  vm->thread.heap = sk_heap_new(&options);
  if (!vm->thread.heap) return false;
  vm->consts = sk_heap_prefix(vm->thread.heap);
  vm->globals = (SkSlot *)(void *)vm->consts + const_slots + flag_slots;
  vm->main_stack = vm->globals + image->global_slot_count;
  vm->main_stack_limit = vm->main_stack + stack;
  vm->global_flags = (uint8_t *)((SkSlot *)(void *)vm->consts + const_slots);
  vm->thread.consts = vm->consts;
  vm->thread.globals = vm->globals;
  vm->thread.global_flags = vm->global_flags;
  sk_heap_set_types(vm->thread.heap, image->types, sizeof(SkTypeInfo), image->type_count);
  return true;
}

static bool jit_options_fine(const SkVmOptions *options, SkBuf *error) {
  if (!options->jit || !sk_jit_hooks || sk_jit_hooks->check_options(options->jit, error))
    return true;
  sk_buf_byte(error, '\n');
  return false;
}

SkVm *sk_vm_new(const SkImage *image, const SkVmOptions *options, SkBuf *error) {
  SkVm *vm = sk_calloc(1, sizeof *vm);
  if (!vm) return NULL;
  vm->options = *options;
  vm->thread.vm = vm;
  vm->thread.image = image;
  vm->plan_then = SK_NONE;
  set_hash_key(vm);
  vm->fuel_limit = options->fuel;
  if (jit_options_fine(options, error) && sk_caps_init(&vm->caps, &options->rights, error) &&
      check_needs(vm, image, error) && make_heap(vm, image) && make_consts(vm) &&
      sk_externs_open(vm, error) && sk_sampler_start(vm)) {
    vm->pending = SK_PENDING_NONE;
    if (sk_jit_hooks) sk_jit_hooks->attach(&vm->thread);
    return vm;
  }
  sk_vm_delete(vm);
  return NULL;
}

void sk_vm_delete(SkVm *vm) {
  if (!vm) return;
  sk_sampler_stop(vm);
  sk_domain_leave(vm);
  sk_host_objects_deinit(vm);
  sk_roots_free(vm->held.items);
  sk_externs_close(vm);
  sk_resources_deinit(&vm->resources);
  for (int i = 0; i < SK_KEPT_COUNT; i++) {
    if (vm->kept[i].data) vm->kept[i].deinit(&vm->thread, vm->kept[i].data);
  }
  sk_loop_delete(vm);
  sk_caps_deinit(&vm->caps);
  if (vm->thread.jit) sk_jit_hooks->detach(&vm->thread);
  if (vm->thread.heap) sk_heap_delete(vm->thread.heap);
  sk_buf_deinit(&vm->fault_text);
  sk_buf_deinit(&vm->out);
  sk_buf_deinit(&vm->in);
  sk_buf_deinit(&vm->gc_log);
  sk_free(vm);
}

// ---- streams ------------------------------------------------------------------------------------

bool sk_vm_write_now(SkVm *vm, int stream, const char *data, size_t size) {
  if (vm->options.write) return vm->options.write(vm->options.io_context, stream, data, size);
  while (size > 0) {
    ssize_t written = write(stream, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    data += written;
    size -= (size_t)written;
  }
  return true;
}

bool sk_vm_flush(SkVm *vm) {
  if (vm->out.size && !sk_vm_write_now(vm, 1, vm->out.data, vm->out.size)) vm->out_failed = true;
  vm->out.size = 0;
  return !vm->out_failed;
}

bool sk_vm_write(SkVm *vm, int stream, const char *data, size_t size, bool line_end) {
  vm->output_bytes += size + line_end;
  if (vm->options.output_limit_bytes && vm->output_bytes > vm->options.output_limit_bytes) {
    sk_stop(&vm->thread, SK_STOP_OUTPUT);
    return false;
  }
  if (stream == 2) {
    sk_vm_flush(vm);
    bool fine = sk_vm_write_now(vm, 2, data, size);
    return (!line_end || sk_vm_write_now(vm, 2, "\n", 1)) && fine;
  }
  size_t before = vm->out.size;
  if (size <= OUT_BUFFER_BYTES) {
    sk_buf_add(&vm->out, data, size);
    if (line_end) sk_buf_byte(&vm->out, '\n');
  }
  if (size > OUT_BUFFER_BYTES || vm->out.failed) {  // too long, or no memory to hold it back
    vm->out.failed = false;
    vm->out.size = before;
    sk_vm_flush(vm);
    bool fine = sk_vm_write_now(vm, 1, data, size);
    if (!fine || (line_end && !sk_vm_write_now(vm, 1, "\n", 1))) vm->out_failed = true;
  }
  if (vm->out.size >= OUT_BUFFER_BYTES) sk_vm_flush(vm);
  return !vm->out_failed;
}

int64_t sk_vm_read(SkVm *vm, char *data, size_t size) {
  sk_vm_flush(vm);
  if (vm->options.read) return vm->options.read(vm->options.io_context, data, size);
  while (true) {
    ssize_t got = read(0, data, size);
    if (got < 0 && errno == EINTR) continue;
    return got;
  }
}
