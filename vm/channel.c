// Channels: bounded queues of messages between VMs of one domain. Everything here is under the
// domain's lock, but for counting users.
//
// A task that has to wait stands in the channel's list, with the message that it wants to send.
// Whoever ends the wait hands over the message, notes how the wait ended, and wakes the task, whose
// native then runs anew and finds that.
#include <stdatomic.h>

#include "vm/domain.h"
#include "vm/host.h"

typedef struct {
  SkTask *first, *last;
} TaskList;

struct SkChannel {
  _Atomic uint32_t users;
  SkDomain *domain;
  SkChannel *all_next, *all_previous;  // of the domain
  uint32_t capacity, count;
  bool is_closed;
  SkMessage *first, *last;  // messages
  TaskList senders, receivers;
};

#define CAPACITY_LIMIT (1 << 20)

SkChannel *sk_channel_new(SkDomain *domain, int64_t capacity) {
  SkChannel *channel = sk_calloc(1, sizeof *channel);
  if (!channel) return NULL;
  channel->domain = domain;
  channel->capacity = capacity > CAPACITY_LIMIT ? CAPACITY_LIMIT : (uint32_t)capacity;
  atomic_init(&channel->users, 1);
  sk_domain_lock(domain);
  SkChannel **all = sk_domain_channels(domain);
  channel->all_next = *all;
  if (*all) (*all)->all_previous = channel;
  *all = channel;
  sk_domain_unlock(domain);
  return channel;
}

void sk_channel_retain(SkChannel *channel) {
  atomic_fetch_add_explicit(&channel->users, 1, memory_order_relaxed);
}

static void delete_messages(SkMessage *first) {
  while (first) {
    SkMessage *next = first->next;
    sk_message_delete(first);
    first = next;
  }
}

void sk_channel_release(SkChannel *channel) {
  if (atomic_fetch_sub_explicit(&channel->users, 1, memory_order_acq_rel) != 1) return;
  sk_domain_lock(channel->domain);
  if (channel->all_next) channel->all_next->all_previous = channel->all_previous;
  if (channel->all_previous)
    channel->all_previous->all_next = channel->all_next;
  else
    *sk_domain_channels(channel->domain) = channel->all_next;
  sk_domain_unlock(channel->domain);
  delete_messages(channel->first);
  sk_free(channel);
}

void sk_channels_drain(SkDomain *domain) {
  // Messages may hold channels, also the one that they are in.
  SkMessage *all = NULL;
  for (SkChannel *channel = *sk_domain_channels(domain); channel; channel = channel->all_next) {
    while (channel->first) {
      SkMessage *message = channel->first;
      channel->first = message->next;
      message->next = all;
      all = message;
    }
  }
  delete_messages(all);
}

// ---- lists --------------------------------------------------------------------------------------

static void list_add(TaskList *list, SkTask *task) {
  task->next = NULL;
  if (list->last)
    list->last->next = task;
  else
    list->first = task;
  list->last = task;
}

static SkTask *list_take(TaskList *list) {
  SkTask *task = list->first;
  if (!task) return NULL;
  list->first = task->next;
  if (!list->first) list->last = NULL;
  task->next = NULL;
  return task;
}

static void put(SkChannel *channel, SkMessage *message) {
  message->next = NULL;
  if (channel->last)
    channel->last->next = message;
  else
    channel->first = message;
  channel->last = message;
  channel->count++;
}

static SkMessage *take(SkChannel *channel) {
  SkMessage *message = channel->first;
  channel->first = message->next;
  if (!channel->first) channel->last = NULL;
  channel->count--;
  return message;
}

void sk_task_leave_lists(SkTask *task) {
  SkChannel *channel = task->waits_on;
  if (!channel) return;
  for (int i = 0; i < 2; i++) {
    TaskList *list = i ? &channel->receivers : &channel->senders;
    SkTask *before = NULL;
    for (SkTask *at = list->first; at; before = at, at = at->next) {
      if (at != task) continue;
      if (before)
        before->next = task->next;
      else
        list->first = task->next;
      if (list->last == task) list->last = before;
      break;
    }
  }
  task->next = NULL;
  task->waits_on = NULL;
}

/// Parks the running task in a list of the channel. With the lock, which it gives back.
static bool wait_in(SkThread *thread, SkChannel *channel, TaskList *list) {
  SkTask *task = thread->vm->task;
  list_add(list, task);
  task->waits_on = channel;
  task->wait = SK_WAIT_NONE;
  sk_domain_unlock(channel->domain);
  return sk_park(thread, SK_PARK_CHANNEL);
}

static void wake(SkTask *task, SkWait wait) {
  task->waits_on = NULL;
  sk_task_wake(task, wait);
}

// ---- sending, receiving -------------------------------------------------------------------------

bool sk_channel_send(SkThread *thread, SkChannel *channel, SkMessage *message, bool *sent) {
  SkDomain *domain = channel->domain;
  sk_domain_lock(domain);
  *sent = !channel->is_closed;
  if (channel->is_closed) {
    sk_domain_unlock(domain);
    sk_message_delete(message);
    return true;
  }
  SkTask *receiver = list_take(&channel->receivers);
  if (receiver) {
    receiver->message = message;
    wake(receiver, SK_WAIT_RECEIVED);
  } else if (channel->count < channel->capacity) {
    put(channel, message);
  } else if (!sk_task_can_wait(thread)) {
    sk_domain_unlock(domain);
    sk_message_delete(message);
    return false;
  } else {
    thread->vm->task->message = message;
    return wait_in(thread, channel, &channel->senders);
  }
  sk_domain_unlock(domain);
  return true;
}

bool sk_channel_receive(SkThread *thread, SkChannel *channel, SkMessage **message) {
  SkDomain *domain = channel->domain;
  sk_domain_lock(domain);
  if (channel->count > 0) {
    *message = take(channel);
    SkTask *sender = list_take(&channel->senders);
    if (sender) {
      put(channel, sender->message);
      sender->message = NULL;
      wake(sender, SK_WAIT_SENT);
    }
  } else if (channel->is_closed) {
    *message = NULL;
  } else if (!sk_task_can_wait(thread)) {
    sk_domain_unlock(domain);
    return false;
  } else {
    return wait_in(thread, channel, &channel->receivers);
  }
  sk_domain_unlock(domain);
  return true;
}

/// With the lock. The messages of senders that still wait are deleted by their natives.
static void close_locked(SkChannel *channel) {
  channel->is_closed = true;
  SkTask *task;
  while ((task = list_take(&channel->senders))) wake(task, SK_WAIT_CLOSED);
  while ((task = list_take(&channel->receivers))) wake(task, SK_WAIT_CLOSED);
}

void sk_channel_close(SkChannel *channel) {
  sk_domain_lock(channel->domain);
  close_locked(channel);
  sk_domain_unlock(channel->domain);
}

void sk_channels_close_held(SkVm *vm) {
  for (uint32_t i = 1; i < vm->host_objects.count; i++) {
    const SkHostObject *item = &vm->host_objects.items[i];
    if (item->object && item->number == SK_HOST_CHANNEL) sk_channel_close(item->object);
  }
}
