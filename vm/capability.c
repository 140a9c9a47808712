// The table of a VM's grants: see capability.h.
#include "vm/capability.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/os.h"
#include "vm/broker.h"

extern char **environ;

// ---- grants -------------------------------------------------------------------------------------

SkGrant *sk_grant_ref(SkGrant *grant) {
  if (grant) atomic_fetch_add(&grant->users, 1);
  return grant;
}

void sk_grant_unref(SkGrant *grant) {
  while (grant && atomic_fetch_sub(&grant->users, 1) == 1) {
    SkGrant *parent = grant->parent;
    sk_broker_grant_close(grant);
    sk_free((char *)(uintptr_t)grant->scope.data);
    sk_free(grant);
    grant = parent;
  }
}

bool sk_grant_holds(const SkGrant *grant) {
  for (; grant; grant = grant->parent) {
    if (atomic_load(&grant->revoked)) return false;
  }
  return true;
}

static bool no_memory(SkBuf *error) {
  error->size = 0;
  return false;
}

/// "fs.write:create+write=out" taken apart. False and a message if it says nothing sensible.
static bool read_text(SkStr text, SkCapability *kind, uint32_t *rights, SkStr *scope,
                      SkBuf *error) {
  const char *equals = text.size ? memchr(text.data, '=', text.size) : NULL;
  SkStr name = sk_str_n(text.data, equals ? (size_t)(equals - text.data) : text.size);
  *scope = equals ? sk_str_n(equals + 1, text.size - name.size - 1) : SK_STR("");
  const char *colon = name.size ? memchr(name.data, ':', name.size) : NULL;
  SkStr wanted = SK_STR("");
  if (colon) {
    wanted = sk_str_n(colon + 1, name.size - (size_t)(colon + 1 - name.data));
    name.size = (uint32_t)(colon - name.data);
  }
  *kind = sk_capability_find(name);
  if (*kind == SK_CAP_COUNT) {
    sk_buf_printf(error, "error: there is no capability `%.*s`\n  = help: there are",
                  SK_STR_ARG(name));
    for (int i = 0; i < SK_CAP_COUNT; i++)
      sk_buf_printf(error, "%s %s", i ? "," : "", sk_capability_infos[i].name);
    sk_buf_cstr(error, "\n");
    return false;
  }
  const SkCapabilityInfo *info = &sk_capability_infos[*kind];
  *rights = colon ? 0 : info->rights;
  while (wanted.size) {
    const char *plus = memchr(wanted.data, '+', wanted.size);
    SkStr one = sk_str_n(wanted.data, plus ? (size_t)(plus - wanted.data) : wanted.size);
    uint32_t right = sk_right_find(one) & info->rights;
    if (!right) {
      char all[80];
      sk_rights_print(info->rights, all);
      sk_buf_printf(error, "error: %s has no right `%.*s`\n  = help: it has %s\n", info->name,
                    SK_STR_ARG(one), all);
      return false;
    }
    *rights |= right;
    wanted = plus ? sk_str_n(plus + 1, wanted.size - one.size - 1) : SK_STR("");
  }
  if (scope->size && !info->scope[0]) {
    sk_buf_printf(error, "error: the capability %s takes no scope, found `%.*s`\n", info->name,
                  SK_STR_ARG(*scope));
    return false;
  }
  return true;
}

static bool check_clock(SkStr scope, SkBuf *error) {
  if (scope.size == 0 || sk_str_is(scope, "fine") || sk_str_is(scope, "coarse") ||
      sk_str_is(scope, "frozen"))
    return true;
  sk_buf_printf(error, "error: clock=%.*s: expected fine, coarse or frozen\n", SK_STR_ARG(scope));
  return false;
}

/// NULL with a message, or without one when memory ran out.
static SkGrant *grant_new(const SkCaps *caps, SkCapability kind, uint32_t rights, SkStr scope,
                          bool is_deny, SkBuf *error) {
  SkGrant *grant = sk_calloc(1, sizeof *grant);
  char *copy = sk_malloc(scope.size + 1u);
  if (!grant || !copy) {
    sk_free(grant);
    sk_free(copy);
    return NULL;
  }
  if (scope.size) memcpy(copy, scope.data, scope.size);
  copy[scope.size] = 0;
  grant->users = 1;
  grant->kind = kind;
  grant->rights = rights;
  grant->is_deny = is_deny;
  grant->scope = sk_str_n(copy, scope.size);
  grant->folder = -1;
  bool fine = true;
  if (kind == SK_CAP_FS_READ || kind == SK_CAP_FS_WRITE)
    fine = sk_broker_grant_open(grant, caps->working_folder, error);
  else if (kind == SK_CAP_CLOCK)
    fine = check_clock(scope, error);
  else if (kind == SK_CAP_NET)
    fine = sk_broker_address_check(scope, error);
  else if (kind == SK_CAP_PROCESS && !is_deny)
    fine = sk_broker_program_open(grant, error);
  if (fine) return grant;
  sk_grant_unref(grant);
  return NULL;
}

static bool add(SkCaps *caps, SkGrant *grant) {
  SkGrant **grown = sk_realloc(caps->grants, (caps->grant_count + 1) * sizeof *grown);
  if (!grown) {
    sk_grant_unref(grant);
    return false;
  }
  caps->grants = grown;
  caps->grants[caps->grant_count++] = grant;
  if (grant->is_deny) caps->has_deny[grant->kind] = true;
  if (!grant->is_default)
    sk_caps_audit(caps, grant->is_deny ? "deny" : "grant", grant->kind, grant->rights, grant->scope,
                  NULL);
  return true;
}

// ---- scopes -------------------------------------------------------------------------------------

/// "LC_*" covers every name that begins with LC_.
static bool name_covers(SkStr granted, SkStr wanted) {
  if (granted.size == 0) return true;
  if (granted.data[granted.size - 1] == '*')
    return wanted.size >= granted.size - 1 &&
           memcmp(granted.data, wanted.data, granted.size - 1) == 0;
  return sk_str_eq(granted, wanted);
}

/// What is derived may ask for the same scope or for one inside.
static bool grant_covers(const SkGrant *parent, const SkGrant *child) {
  if (parent->is_deny || parent->kind != child->kind ||
      (parent->rights & child->rights) != child->rights || !sk_grant_holds(parent))
    return false;
  if (parent->scope.size == 0 || sk_str_eq(parent->scope, child->scope)) return true;
  if (child->kind == SK_CAP_FS_READ || child->kind == SK_CAP_FS_WRITE)
    return sk_broker_grant_is_inside(parent, child);
  if (child->kind == SK_CAP_NET) return sk_broker_address_covers(parent->scope, child->scope);
  if (child->kind == SK_CAP_CLOCK)
    return !sk_str_is(parent->scope, "frozen") && !sk_str_is(child->scope, "fine") &&
           child->scope.size;
  return child->scope.size && name_covers(parent->scope, child->scope);
}

// ---- making -------------------------------------------------------------------------------------

static bool add_text(SkCaps *caps, SkStr text, bool is_deny, const SkCaps *parent, SkBuf *error) {
  SkCapability kind;
  uint32_t rights;
  SkStr scope;
  if (!read_text(text, &kind, &rights, &scope, error)) return false;
  SkGrant *grant = grant_new(caps, kind, rights, scope, is_deny, error);
  if (!grant) return false;
  if (parent && !is_deny) {
    for (uint32_t i = 0; i < parent->grant_count && !grant->parent; i++) {
      if (grant_covers(parent->grants[i], grant)) grant->parent = sk_grant_ref(parent->grants[i]);
    }
    if (!grant->parent) {
      sk_buf_printf(error, "error: cannot pass %.*s on: the parent does not hold it\n",
                    SK_STR_ARG(text));
      sk_grant_unref(grant);
      return false;
    }
  }
  return add(caps, grant) || no_memory(error);
}

/// What everybody has: from the parent if there is one.
static bool add_defaults(SkCaps *caps, const SkCapsOptions *options, SkBuf *error) {
  for (int kind = 0; kind < SK_CAP_COUNT; kind++) {
    if (!sk_capability_infos[kind].is_default) continue;
    bool asked = false;
    for (uint32_t i = 0; i < caps->grant_count; i++)
      asked |= caps->grants[i]->kind == (SkCapability)kind && !caps->grants[i]->is_deny;
    if (asked) continue;
    const SkCaps *parent = options->parent;
    if (!parent) {
      SkGrant *grant = grant_new(caps, (SkCapability)kind, sk_capability_infos[kind].rights,
                                 SK_STR(""), false, error);
      if (!grant) return no_memory(error);
      grant->is_default = true;
      if (!add(caps, grant)) return no_memory(error);
    }
    for (uint32_t i = 0; parent && i < parent->grant_count; i++) {
      SkGrant *held = parent->grants[i];
      if (held->kind != (SkCapability)kind || held->is_deny) continue;
      SkGrant *grant = grant_new(caps, held->kind, held->rights, held->scope, false, error);
      if (!grant) return no_memory(error);
      grant->is_default = true;
      grant->parent = sk_grant_ref(held);
      if (!add(caps, grant)) return no_memory(error);
    }
  }
  return true;
}

/// A child keeps what its parent is denied.
static bool add_parent_denies(SkCaps *caps, const SkCaps *parent, SkBuf *error) {
  for (uint32_t i = 0; parent && i < parent->grant_count; i++) {
    if (parent->grants[i]->is_deny && !add(caps, sk_grant_ref(parent->grants[i])))
      return no_memory(error);
  }
  return true;
}

static void choose_clock(SkCaps *caps) {
  caps->clock = SK_CLOCK_FROZEN;
  for (uint32_t i = 0; i < caps->grant_count; i++) {
    const SkGrant *grant = caps->grants[i];
    if (grant->kind != SK_CAP_CLOCK || grant->is_deny) continue;
    SkClockMode mode = sk_str_is(grant->scope, "frozen")   ? SK_CLOCK_FROZEN
                       : sk_str_is(grant->scope, "coarse") ? SK_CLOCK_COARSE
                                                           : SK_CLOCK_FINE;
    if (mode < caps->clock) caps->clock = (uint8_t)mode;
  }
  if (caps->clock != SK_CLOCK_FROZEN) return;
  caps->frozen_wall_ns = sk_os_wall_ns();
  caps->frozen_monotonic_ns = sk_os_monotonic_ns();
}

static bool needs_folder(const SkStr *texts, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    if (sk_str_starts(texts[i], "fs.")) return true;
  }
  return false;
}

/// Copies the variables that are granted: what the process changes later is not seen.
static bool freeze_env(SkCaps *caps) {
  uint32_t at = 0, room = 0;
  if (!sk_caps_next(caps, SK_CAP_ENV, SK_RIGHT_READ, &at)) return true;
  for (char **entry = environ; entry && *entry; entry++) room++;
  caps->env = sk_calloc(room + 1, sizeof *caps->env);
  if (!caps->env) return false;
  for (char **entry = environ; entry && *entry && caps->env_count < room; entry++) {
    const char *equals = strchr(*entry, '=');
    if (!equals) continue;
    SkStr name = sk_str_n(*entry, (size_t)(equals - *entry));
    if (!sk_caps_allow_name(caps, SK_CAP_ENV, SK_RIGHT_READ, name)) continue;
    size_t size = strlen(*entry);
    char *copy = sk_malloc(size + 1);
    if (!copy) return false;
    memcpy(copy, *entry, size + 1);
    caps->env[caps->env_count++] = (SkEnvEntry){
        sk_str_n(copy, name.size), sk_str_n(copy + name.size + 1, size - name.size - 1)};
  }
  return true;
}

/// All that the parent holds, denials, clock and environment included.
static bool inherit(SkCaps *caps, const SkCaps *parent) {
  for (uint32_t i = 0; i < parent->grant_count; i++) {
    if (!add(caps, sk_grant_ref(parent->grants[i]))) return false;
  }
  if (parent->working_folder) {
    caps->working_folder = strdup(parent->working_folder);
    if (!caps->working_folder) return false;
  }
  caps->clock = parent->clock;
  caps->frozen_wall_ns = parent->frozen_wall_ns;
  caps->frozen_monotonic_ns = parent->frozen_monotonic_ns;
  caps->env = sk_calloc(parent->env_count + 1, sizeof *caps->env);
  for (uint32_t i = 0; caps->env && i < parent->env_count; i++) {
    SkStr name = parent->env[i].name, value = parent->env[i].value;
    char *copy = sk_malloc(name.size + value.size + 2);
    if (!copy) return false;
    memcpy(copy, name.data, name.size + value.size + 2);  // NAME=VALUE, in one piece
    caps->env[caps->env_count++] =
        (SkEnvEntry){sk_str_n(copy, name.size), sk_str_n(copy + name.size + 1, value.size)};
  }
  return caps->env != NULL;
}

bool sk_caps_init(SkCaps *caps, const SkCapsOptions *options, SkBuf *error) {
  const SkCaps *parent = options->parent;
  *caps = (SkCaps){.audit = options->audit};
  if (!caps->audit.write && parent) caps->audit = parent->audit;
  caps->family = parent ? parent->family : sk_calloc(1, sizeof *caps->family);
  if (!caps->family) return no_memory(error);
  atomic_fetch_add(&caps->family->users, 1);
  caps->seen_epoch = atomic_load(&caps->family->epoch) - 1;  // so that the first use looks
  bool fine = true;
  if (options->inherits) {
    if (inherit(caps, parent)) return true;
    sk_caps_deinit(caps);
    return no_memory(error);
  }
  if (needs_folder(options->grants, options->grant_count) ||
      needs_folder(options->denies, options->deny_count)) {
    caps->working_folder = sk_broker_working_folder();
    fine = caps->working_folder != NULL;
  }
  fine = fine && add_parent_denies(caps, parent, error);
  for (uint32_t i = 0; fine && i < options->deny_count; i++)
    fine = add_text(caps, options->denies[i], true, NULL, error);
  for (uint32_t i = 0; fine && i < options->grant_count; i++)
    fine = add_text(caps, options->grants[i], false, parent, error);
  if (fine && !options->no_defaults) fine = add_defaults(caps, options, error);
  if (fine) choose_clock(caps);
  if (fine && !freeze_env(caps)) fine = no_memory(error);
  if (!fine) sk_caps_deinit(caps);
  return fine;
}

void sk_caps_deinit(SkCaps *caps) {
  for (uint32_t i = 0; i < caps->grant_count; i++) sk_grant_unref(caps->grants[i]);
  sk_free(caps->grants);
  for (uint32_t i = 0; i < caps->env_count; i++) sk_free((char *)(uintptr_t)caps->env[i].name.data);
  sk_free(caps->env);
  free(caps->working_folder);
  if (caps->family && atomic_fetch_sub(&caps->family->users, 1) == 1) sk_free(caps->family);
  *caps = (SkCaps){0};
}

// ---- asking -------------------------------------------------------------------------------------

const SkGrant *sk_caps_next(const SkCaps *caps, SkCapability kind, uint32_t rights, uint32_t *at) {
  while (*at < caps->grant_count) {
    const SkGrant *grant = caps->grants[(*at)++];
    if (grant->kind == kind && !grant->is_deny && (grant->rights & rights) == rights &&
        sk_grant_holds(grant))
      return grant;
  }
  return NULL;
}

/// Rights that a denial without scope takes away altogether.
static uint32_t denied_rights(const SkCaps *caps, SkCapability kind) {
  uint32_t denied = 0;
  for (uint32_t i = 0; i < caps->grant_count; i++) {
    const SkGrant *grant = caps->grants[i];
    if (grant->is_deny && grant->kind == kind && grant->scope.size == 0) denied |= grant->rights;
  }
  return denied;
}

/// The rights that some grant gives, alone or together with others.
static uint32_t held_rights(const SkCaps *caps, SkCapability kind) {
  uint32_t held = 0;
  for (uint32_t at = 0;;) {
    const SkGrant *grant = sk_caps_next(caps, kind, 0, &at);
    if (!grant) break;
    held |= grant->rights;
  }
  return held & ~denied_rights(caps, kind);
}

bool sk_caps_allow_slow(SkCaps *caps, SkCapability kind, uint32_t rights, const char *what) {
  uint32_t epoch = atomic_load(&caps->family->epoch);
  if (epoch != caps->seen_epoch) memset(caps->fast, 0, sizeof caps->fast);
  caps->seen_epoch = epoch;
  uint32_t held = held_rights(caps, kind);
  if ((held & rights) != rights) {
    sk_caps_audit(caps, "denied", kind, rights, SK_STR(""), what);
    return false;
  }
  if (rights & ~caps->first_uses[kind]) {
    caps->first_uses[kind] |= rights;
    sk_caps_audit(caps, "use", kind, rights, SK_STR(""), what);
  }
  caps->fast[kind] = held & caps->first_uses[kind];
  return true;
}

bool sk_caps_allow_name(SkCaps *caps, SkCapability kind, uint32_t rights, SkStr name) {
  for (uint32_t i = 0; i < caps->grant_count; i++) {
    const SkGrant *grant = caps->grants[i];
    if (grant->is_deny && grant->kind == kind && (grant->rights & rights) &&
        name_covers(grant->scope, name))
      return false;
  }
  for (uint32_t at = 0;;) {
    const SkGrant *grant = sk_caps_next(caps, kind, rights, &at);
    if (!grant) return false;
    if (name_covers(grant->scope, name)) return true;
  }
}

bool sk_caps_has(SkCaps *caps, SkCapability kind) {
  return held_rights(caps, kind) != 0;
}

const SkEnvEntry *sk_caps_env(const SkCaps *caps, SkStr name) {
  for (uint32_t i = 0; i < caps->env_count; i++) {
    if (sk_str_eq(caps->env[i].name, name)) return &caps->env[i];
  }
  return NULL;
}

// ---- taking back --------------------------------------------------------------------------------

bool sk_caps_revoke(SkCaps *caps, SkStr text) {
  SkCapability kind;
  uint32_t rights;
  SkStr scope;
  SkBuf error = {0};
  bool found = read_text(text, &kind, &rights, &scope, &error);
  sk_buf_deinit(&error);
  if (!found) return false;
  found = false;
  bool all = !memchr(text.data, '=', text.size);
  for (uint32_t i = 0; i < caps->grant_count; i++) {
    SkGrant *grant = caps->grants[i];
    if (grant->is_deny || grant->kind != kind || (!all && !sk_str_eq(grant->scope, scope)))
      continue;
    atomic_store(&grant->revoked, true);
    found = true;
    sk_caps_audit(caps, "revoke", kind, grant->rights, grant->scope, NULL);
  }
  atomic_fetch_add(&caps->family->epoch, 1);
  return found;
}

// ---- texts --------------------------------------------------------------------------------------

void sk_caps_print_flag(SkCapability kind, const SkStr *scope, SkBuf *out) {
  const SkCapabilityInfo *info = &sk_capability_infos[kind];
  sk_buf_printf(out, "--allow=%s", info->name);
  if (scope)
    sk_buf_printf(out, "=%.*s", SK_STR_ARG(*scope));
  else if (kind != SK_CAP_CLOCK && info->scope[0])
    sk_buf_printf(out, "=%s", info->scope);
}

void sk_caps_print_help(const SkCaps *caps, SkCapability kind, const SkStr *scope, SkBuf *out) {
  const char *name = sk_capability_infos[kind].name;
  if (denied_rights(caps, kind)) {
    sk_buf_printf(out, "  = help: it is denied: run it without --deny=%s\n", name);
    return;
  }
  sk_buf_cstr(out, "  = help: run it with ");
  sk_caps_print_flag(kind, scope, out);
  sk_buf_cstr(out, "\n");
}

void sk_caps_print_denial(const SkCaps *caps, SkCapability kind, uint32_t rights, SkBuf *out) {
  const SkCapabilityInfo *info = &sk_capability_infos[kind];
  bool revoked = false, held = false;
  for (uint32_t i = 0; i < caps->grant_count; i++) {
    const SkGrant *grant = caps->grants[i];
    if (grant->kind != kind || grant->is_deny) continue;
    revoked |= !sk_grant_holds(grant);
    held = true;
  }
  char text[80];
  sk_rights_print(rights, text);
  if (denied_rights(caps, kind) & rights)
    sk_buf_printf(out, "permission denied: %s is denied", info->name);
  else if (revoked)
    sk_buf_printf(out, "permission denied: %s was revoked", info->name);
  else if (held)
    sk_buf_printf(out, "permission denied: %s is granted without the right %s", info->name, text);
  else {
    sk_buf_printf(out, "permission denied: %s is not granted: ", info->name);
    sk_caps_print_flag(kind, NULL, out);
  }
}

void sk_caps_audit(const SkCaps *caps, const char *event, SkCapability kind, uint32_t rights,
                   SkStr scope, const char *what) {
  if (!caps->audit.write) return;
  char names[80];
  SkBuf line = {0};
  sk_rights_print(rights, names);
  sk_buf_printf(&line, "{\"event\": \"%s\", \"capability\": \"%s\", \"rights\": \"%s\"", event,
                sk_capability_infos[kind].name, names);
  if (scope.size) {
    sk_buf_cstr(&line, ", \"scope\": ");
    sk_buf_json(&line, scope);
  }
  if (what) {
    sk_buf_cstr(&line, ", \"by\": ");
    sk_buf_json(&line, sk_str(what));
  }
  sk_buf_cstr(&line, "}\n");
  if (!line.failed) caps->audit.write(caps->audit.context, line.data, line.size);
  sk_buf_deinit(&line);
}
