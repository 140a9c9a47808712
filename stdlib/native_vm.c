// Natives of std.vm. A channel or worker is a number of the VM's table of host objects, which the
// guest cannot make.
#include "stdlib/natives.h"
#include "vm/domain.h"
#include "vm/host.h"

static bool no_handle(SkThread *thread) {
  return sk_fault_text(thread, "there is no such channel or worker in this VM");
}

static bool give_handle(SkThread *thread, uint32_t number, void *object, SkSlot *result) {
  result->u = sk_host_object_add(thread, number, object);
  return result->u != 0 || sk_fault_memory(thread);
}

bool sk_native_vm_channel(SkThread *thread, int64_t capacity, SkSlot *result) {
  if (capacity < 1) return sk_fault_text(thread, "a channel holds at least 1 value");
  SkTask *task = sk_domain_enter(thread->vm);
  SkChannel *channel = task ? sk_channel_new(task->domain, capacity) : NULL;
  if (!channel) return sk_fault_memory(thread);
  if (give_handle(thread, SK_HOST_CHANNEL, channel, result)) return true;
  sk_channel_release(channel);
  return false;
}

static SkWait take_wait(SkTask *task) {
  SkWait wait = task->wait;
  task->wait = SK_WAIT_NONE;
  return wait;
}

bool sk_native_vm_send(SkThread *thread, int64_t raw, SkObject *box, SkSlot *result) {
  SkTask *task = thread->vm->task;
  SkChannel *channel = sk_host_object_at(thread->vm, SK_HOST_CHANNEL, (uint64_t)raw);
  if (!channel) return no_handle(thread);
  SkWait wait = take_wait(task);
  if (wait != SK_WAIT_NONE) {
    sk_message_delete(task->message);
    task->message = NULL;
    result->u = wait == SK_WAIT_SENT;
    return true;
  }
  SkMessage *message = sk_message_new(thread, box, false);
  if (!message) return false;
  if (!sk_native_charge(thread, message->size_bytes / 16)) {
    sk_message_delete(message);
    return false;
  }
  bool sent;
  if (!sk_channel_send(thread, channel, message, &sent)) return false;
  result->u = sent;
  return true;
}

bool sk_native_vm_receive(SkThread *thread, int64_t raw, SkSlot *result) {
  SkTask *task = thread->vm->task;
  SkChannel *channel = sk_host_object_at(thread->vm, SK_HOST_CHANNEL, (uint64_t)raw);
  if (!channel) return no_handle(thread);
  SkMessage *message;
  if (take_wait(task) != SK_WAIT_NONE) {
    message = task->message;
    task->message = NULL;
  } else if (!sk_channel_receive(thread, channel, &message)) {
    return false;
  }
  if (!message) return true;
  SkRef box;
  bool fine =
      sk_native_charge(thread, message->size_bytes / 16) && sk_message_open(thread, message, &box);
  sk_message_delete(message);
  if (fine) result->u = box.bits;
  return fine;
}

bool sk_native_vm_close(SkThread *thread, int64_t raw) {
  SkChannel *channel = sk_host_object_at(thread->vm, SK_HOST_CHANNEL, (uint64_t)raw);
  if (!channel) return no_handle(thread);
  sk_channel_close(channel);
  return true;
}

bool sk_native_vm_spawn(SkThread *thread, const SkGranted *granted, SkObject *body,
                        SkSlot *result) {
  (void)granted;
  SkMessage *start = sk_message_new(thread, body, true);
  if (!start) return false;
  SkTask *task = sk_domain_spawn(thread, start);
  if (!task) return false;
  if (give_handle(thread, SK_HOST_TASK, task, result)) return true;
  sk_task_release(task);
  return false;
}

bool sk_native_vm_join(SkThread *thread, int64_t raw, SkSlot *result) {
  SkTask *task = sk_host_object_at(thread->vm, SK_HOST_TASK, (uint64_t)raw);
  if (!task) return no_handle(thread);
  SkStr problem;
  if (!sk_task_join(thread, task, &problem)) return false;
  return problem.size == 0 || sk_give_text(thread, result, problem.data, problem.size);
}

bool sk_native_vm_exit(SkThread *thread, int64_t code) {
  thread->vm->exit_code = (int)code;
  thread->vm->pending = SK_PENDING_EXIT;
  return false;
}
