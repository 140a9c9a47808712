// What a VM may do. Its grants lie in this table, outside of the guest's heap: guests only ever
// have names (paths, hosts), which are looked up here at each use.
//
// Invariants
//  1. A right is only ever taken away: a derived table (sk_caps_derive) holds what its parent holds
//     or less, for as long as the parent holds it.
//  2. `fast` answers only while `seen_epoch` is the family's epoch. Revoking raises the epoch of
//  the
//     whole family, so each of its VMs looks at its grants again at the next use.
//  3. A denial wins over every grant of its kind that covers the same thing.
#pragma once

#include <stdatomic.h>

#include "base/buf.h"
#include "bytecode/capability_kinds.h"

/// One granted (or denied) scope. Shared by the tables derived from one another; counted.
typedef struct SkGrant SkGrant;
struct SkGrant {
  _Atomic uint32_t users;
  _Atomic bool revoked;
  SkCapability kind;
  uint32_t rights;
  bool is_deny;
  bool is_default;  // nobody asked for it
  SkStr scope;      // as it was given; size 0: everything of the kind
  // fs.*: what stands at the scope, found when it was granted, never looked up again.
  char *path;              // absolute; a path must begin with it to belong to this grant
  int folder;              // O_PATH descriptor; -1: there was nothing (so nothing is found)
  char *leaf;              // a single file: its name in folder; else NULL
  uint64_t device, inode;  // denials: of the folder or file
  SkGrant *parent;         // what it was derived from, counted
};

/// VMs whose tables come from one another.
typedef struct {
  _Atomic uint32_t users, epoch;
} SkCapFamily;

typedef struct {
  void (*write)(void *context, const char *line, size_t size);  // NULL: no audit
  void *context;
} SkAudit;

typedef struct {
  SkStr name, value;
} SkEnvEntry;

typedef struct SkCaps {
  uint32_t fast[SK_CAP_COUNT];  // rights that need no second look
  uint32_t seen_epoch;
  SkCapFamily *family;
  SkGrant **grants;
  uint32_t grant_count;
  uint32_t first_uses[SK_CAP_COUNT];  // rights whose first use the audit has
  bool has_deny[SK_CAP_COUNT];
  SkAudit audit;
  SkEnvEntry *env;  // frozen when the table was made
  uint32_t env_count;
  char *working_folder;  // that of the process when the table was made; NULL if no grant needs it
  uint8_t clock;         // SkClockMode
  int64_t frozen_wall_ns;
  uint64_t frozen_monotonic_ns;
} SkCaps;

typedef enum { SK_CLOCK_FINE, SK_CLOCK_COARSE, SK_CLOCK_FROZEN } SkClockMode;

typedef struct {
  const SkStr *grants, *denies;  // "fs.read=data", "fs.write:create=out", "clock"
  uint32_t grant_count, deny_count;
  const SkCaps *parent;  // NULL: rights come from the host alone
  bool inherits;         // all that the parent holds; then nothing else is looked at
  bool no_defaults;      // not even what is granted to everybody
  SkAudit audit;
} SkCapsOptions;

/// Fills a table. False and a message in *error if a grant makes no sense (unknown capability, a
/// scope that the kind does not have, more than the parent holds), or, with *error empty, if memory
/// ran out. Nothing needs deinit then.
bool sk_caps_init(SkCaps *caps, const SkCapsOptions *options, SkBuf *error) SK_MUST_USE;
void sk_caps_deinit(SkCaps *caps);

/// Takes back every grant of the family of this table that `text` names, in this table and in all
/// that were derived from it. Any thread. False if there is no such grant here.
bool sk_caps_revoke(SkCaps *caps, SkStr text);

/// The slow path of sk_caps_allow.
bool sk_caps_allow_slow(SkCaps *caps, SkCapability kind, uint32_t rights, const char *what);
/// True if some grant gives all the rights. `what` is the native, for the audit.
static inline bool sk_caps_allow(SkCaps *caps, SkCapability kind, uint32_t rights,
                                 const char *what) {
  uint32_t epoch = atomic_load_explicit(&caps->family->epoch, memory_order_acquire);
  if (SK_LIKELY(epoch == caps->seen_epoch && (caps->fast[kind] & rights) == rights)) return true;
  return sk_caps_allow_slow(caps, kind, rights, what);
}

/// The next grant of a kind with these rights that still holds, from *at on; NULL: no more.
const SkGrant *sk_caps_next(const SkCaps *caps, SkCapability kind, uint32_t rights, uint32_t *at);
bool sk_grant_holds(const SkGrant *grant);
/// Scopes that are names (env, native, process): true if granted and not denied.
bool sk_caps_allow_name(SkCaps *caps, SkCapability kind, uint32_t rights, SkStr name);
/// True if any grant of the kind exists (what a `needs` asks for).
bool sk_caps_has(SkCaps *caps, SkCapability kind);
/// "--allow=fs.read=DIR": the flag that would grant a need.
void sk_caps_print_flag(SkCapability kind, const SkStr *scope, SkBuf *out);
/// A line of help for a need that is not met: the flag to give, or the denial to leave out, which
/// no flag outweighs.
void sk_caps_print_help(const SkCaps *caps, SkCapability kind, const SkStr *scope, SkBuf *out);
/// Why a native was refused: "clock was revoked", "fs.read is not granted: run with --allow=...".
void sk_caps_print_denial(const SkCaps *caps, SkCapability kind, uint32_t rights, SkBuf *out);
/// One line of the audit: event is grant, deny, denied, use, revoke.
void sk_caps_audit(const SkCaps *caps, const char *event, SkCapability kind, uint32_t rights,
                   SkStr scope, const char *what);
SkGrant *sk_grant_ref(SkGrant *grant);
void sk_grant_unref(SkGrant *grant);
const SkEnvEntry *sk_caps_env(const SkCaps *caps, SkStr name);
