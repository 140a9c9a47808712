// Ends guest programs that run too long: one thread that cancels the VM at hand.
#pragma once

#include <pthread.h>
#include <time.h>

#include "skerry/skerry.h"

static pthread_mutex_t watchdog_lock = PTHREAD_MUTEX_INITIALIZER;
static SkerryVM *watchdog_vm;
static unsigned watchdog_ticks;

static void *watchdog_main(void *unused) {
  (void)unused;
  while (1) {
    struct timespec tick = {0, 20 * 1000 * 1000};
    nanosleep(&tick, NULL);
    pthread_mutex_lock(&watchdog_lock);
    if (watchdog_vm && ++watchdog_ticks > 2) skerry_vm_cancel(watchdog_vm);
    pthread_mutex_unlock(&watchdog_lock);
  }
  return NULL;
}

/// Sets the VM to watch; NULL: none.
static void watchdog_set(SkerryVM *vm) {
  static pthread_t thread;
  static int started;
  if (!started) started = pthread_create(&thread, NULL, watchdog_main, NULL) == 0;
  pthread_mutex_lock(&watchdog_lock);
  watchdog_vm = vm;
  watchdog_ticks = 0;
  pthread_mutex_unlock(&watchdog_lock);
}
