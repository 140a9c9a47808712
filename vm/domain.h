// VMs that one program spawned from its first VM on (the root), and the channels between them.
//
// A few OS threads run any number of VMs (tasks): a task runs until its slice is over and others
// wait, or until it has to wait for a channel or another task, which parks it (run.c). The root is
// run by its host's thread alone, which runs other tasks while the root waits.
//
// One lock guards tasks' states, channels and the run queue; it is never held while guest code runs
// or messages are copied. A VM is touched by one thread at a time: by who runs it, or, while it is
// WAITING or READY, by nobody.
#pragma once

#include <pthread.h>

#include "vm/message.h"
#include "vm/vm.h"

typedef struct SkDomain SkDomain;
typedef struct SkChannel SkChannel;
typedef struct SkTask SkTask;

typedef enum {
  SK_TASK_READY,    // in the run queue; the root: its thread is to go on
  SK_TASK_RUNNING,  // on some thread
  SK_TASK_WAITING,  // in a channel's or task's list, or for its event loop
  SK_TASK_DONE
} SkTaskState;

/// What a wait ended with.
typedef enum { SK_WAIT_NONE, SK_WAIT_SENT, SK_WAIT_CLOSED, SK_WAIT_RECEIVED } SkWait;

struct SkTask {
  SkDomain *domain;
  SkVm *vm;  // NULL once it is done (but for the root)
  SkTaskState state;
  bool is_root;
  bool on_root_thread;  // its turn is run by the root's thread, which must not miss the root's end
  bool woken;           // while RUNNING: what it is about to wait for has happened
  SkTask *next;         // in the run queue, or in the list that it waits in
  SkWait wait;          // how the last wait ended; the native that waited runs anew and reads it
  SkMessage *message;   // that it waits to send, or was handed, or, before it began, its start
  bool began;           // its function was called
  uint32_t users;       // VMs that hold its handle, and the domain until it is done
  SkTask *joiners;      // tasks that wait for its end
  SkChannel *waits_on;  // the channel in whose list it stands
  SkTask *waits_for;    // the task in whose list it stands
  SkBuf report;         // DONE: the whole report of a failure; size 0: it ended well
  size_t message_size;  // of its first line, without the kind
  bool was_joined;
  SkTask *all_next, *all_previous;  // of the domain
};

// domain.c
/// Takes it out of what it waits for, unsuccessfully. With the lock.
void sk_task_stop_waiting(SkTask *task);
/// DONE: why it failed.
SkStr sk_task_problem(const SkTask *task);
/// The task of a VM, which becomes the root of a domain if it is in none. NULL: out of memory.
SkTask *sk_domain_enter(SkVm *vm);
/// Before the VM's heap goes. Of a root: ends all its tasks.
void sk_domain_leave(SkVm *vm);
/// Starts a VM that calls the closure in `start` (taken). NULL and a fault pending.
SkTask *sk_domain_spawn(SkThread *thread, SkMessage *start);
void sk_task_release(SkTask *task);
/// Joins: true and the problem's text (size 0: none), or false with the VM parked or a fault.
bool sk_task_join(SkThread *thread, SkTask *task, SkStr *problem);
/// The root's call parked: runs others until it can go on, and goes on. Its final status.
SkRunStatus sk_domain_run_root(SkVm *vm, SkRunStatus status);
/// From sk_poll. True: the VM goes on; false: others are to run.
bool sk_domain_poll(SkThread *thread);
/// Parks a task that waits in its event loop, until fd can be read or due_ns is there (0: never).
/// False, always: with the VM parked, or a fault. Not for roots.
bool sk_domain_wait_loop(SkThread *thread, int fd, uint64_t due_ns);
/// From any thread: a waiting root looks whether it was cancelled.
void sk_domain_wake(SkVm *vm);

void sk_domain_lock(SkDomain *domain);
void sk_domain_unlock(SkDomain *domain);
/// With the lock. The task can go on: what it waited for ended like this.
void sk_task_wake(SkTask *task, SkWait wait);
/// True if the VM can be parked where it is; else a fault is pending.
bool sk_task_can_wait(SkThread *thread);

// channel.c
void sk_task_leave_lists(SkTask *task);
/// Deletes the channels that only messages hold, at the domain's end.
void sk_channels_drain(SkDomain *domain);
/// The head of the list of the domain's channels; with the lock.
SkChannel **sk_domain_channels(SkDomain *domain);
SkChannel *sk_channel_new(SkDomain *domain, int64_t capacity);
void sk_channel_retain(SkChannel *channel);
void sk_channel_release(SkChannel *channel);
/// Takes the message. False: parked, or a fault; else *sent says if the channel was open.
bool sk_channel_send(SkThread *thread, SkChannel *channel, SkMessage *message, bool *sent);
/// False: parked, or a fault; else a message that the caller owns, NULL: closed and drained.
bool sk_channel_receive(SkThread *thread, SkChannel *channel, SkMessage **message);
void sk_channel_close(SkChannel *channel);
/// Closes all channels that a VM holds.
void sk_channels_close_held(SkVm *vm);
