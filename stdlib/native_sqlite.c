// Natives of std.sqlite.
//
// A database is a thing of the VM's table (vm/resource.h); its statements are numbers of a table of
// its own. SQLite gets nothing from the system by itself:
//   - files through a file system of ours, which knows one database file and its journals, through
//     the place that the broker opened for it (SkPlace). A name that SQLite asks for is "database"
//     and a suffix; files without a name are memory. ATTACH, load_extension and the pragmas that
//     reach out of the database are refused besides.
//   - memory through our allocator, which counts it against the heap limit of the VM that runs.
//   - time is bounded by a callback each few steps of SQLite's own machine, and by the allocator
//     where a step makes something large: fuel, deadline, cancel. Functions of SQLite that work for
//     long without either are replaced (instr, replace, trim) or refused (printf, format).
//
// Locks belong to the descriptor, so that two VMs of one process keep each other out like two
// processes do, with the bytes that SQLite uses everywhere. There is no shared memory, so a
// database in WAL mode can only be opened for itself alone (PRAGMA locking_mode = EXCLUSIVE).
#include <sqlite3.h>
#include <time.h>

#include "base/os.h"
#include "stdlib/natives.h"
#include "vm/resource.h"

#define STATEMENT_LIMIT 1024u
#define STEP_OPS 32    // of SQLite's machine, between two looks at the limits
#define STEP_FUEL 200  // what so many cost
#define LARGE_BYTES 65536
#define TRIM_LIMIT 100  // characters to be trimmed
#define VALUE_LIMIT_BYTES (256 << 20)
#define DATABASE_NAME "database"

typedef struct {
  sqlite3_stmt *statement;  // NULL: free
  uint64_t serial;
} Statement;

typedef struct {
  SkThread *thread;
  sqlite3 *db;
  SkPlace place;  // folder -1: in memory
  Statement *statements;
  uint32_t statement_count;
  uint64_t next_serial;
  int64_t patience_ms;  // how long std.sqlite tries again while others hold locks
  uint64_t waits_since_ns;
} Database;

/// Whose natives run on this thread: SQLite's memory is counted there, its files are found there.
static _Thread_local Database *running;

// ---- memory -------------------------------------------------------------------------------------

typedef struct {
  SkHeap *owner;  // NULL: SQLite's own
  int64_t size_bytes;
} Piece;
_Static_assert(sizeof(Piece) == 16, "what follows is aligned");

/// What is large costs fuel, and is refused when the VM is to stop, which then is pending.
static bool may_take(SkThread *thread, size_t bytes) {
  if (bytes < LARGE_BYTES) return true;
  return thread->vm->pending == SK_PENDING_NONE && sk_native_charge(thread, bytes / 16) &&
         sk_native_may_go_on(thread);
}

static void *take(int size) {  // gc-lint: SQLite sets the arguments
  SkHeap *owner = running ? running->thread->heap : NULL;
  size_t bytes = (size_t)size + sizeof(Piece);
  if (owner && !may_take(running->thread, bytes)) return NULL;
  if (owner && !sk_heap_charge(owner, bytes)) return NULL;
  Piece *piece = sk_malloc(bytes);
  if (!piece) {
    if (owner) sk_heap_uncharge(owner, bytes);
    return NULL;
  }
  *piece = (Piece){owner, size};
  return piece + 1;
}

static void give_back(void *memory) {
  if (!memory) return;
  Piece *piece = (Piece *)memory - 1;
  if (piece->owner) sk_heap_uncharge(piece->owner, (size_t)piece->size_bytes + sizeof *piece);
  sk_free(piece);
}

static int size_of(void *memory) {
  return memory ? (int)((Piece *)memory - 1)->size_bytes : 0;
}

static void *take_more(void *memory, int size) {  // gc-lint: SQLite sets the arguments
  void *more = take(size);
  if (!more) return NULL;
  int old = size_of(memory);
  memcpy(more, memory, (size_t)(old < size ? old : size));
  give_back(memory);
  return more;
}

static int round_up(int size) {
  return (size + 7) & ~7;
}
static int memory_open(void *unused) {
  (void)unused;
  return SQLITE_OK;
}
static void memory_close(void *unused) {
  (void)unused;
}

// ---- files --------------------------------------------------------------------------------------

typedef struct {
  sqlite3_file base;
  Database *owner;
  int fd;  // -1: in memory
  int lock;
  bool folder_changed;  // the name is new
  bool goes_at_close;
  char suffix[16];
  char *data;
  int64_t size_bytes, room_bytes;
} File;

#define PENDING_BYTE 0x40000000
#define RESERVED_BYTE (PENDING_BYTE + 1)
#define SHARED_BYTES (PENDING_BYTE + 2)
#define SHARED_COUNT 510

static int file_close(sqlite3_file *base) {
  File *file = (File *)base;
  if (file->fd >= 0) sk_broker_close(file->fd);
  if (file->fd >= 0 && file->goes_at_close)
    sk_broker_place_remove(&file->owner->place, file->suffix);
  sqlite3_free(file->data);
  return SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *to, int size, sqlite3_int64 offset) {
  File *file = (File *)base;
  int64_t got;
  if (file->fd >= 0) {
    got = sk_broker_read_at(file->fd, to, (size_t)size, offset);
    if (got < 0) return SQLITE_IOERR_READ;
  } else {
    got = offset >= file->size_bytes ? 0 : file->size_bytes - offset;
    if (got > size) got = size;
    if (got) memcpy(to, file->data + offset, (size_t)got);
  }
  if (got == size) return SQLITE_OK;
  memset((char *)to + got, 0, (size_t)(size - got));
  return SQLITE_IOERR_SHORT_READ;
}

static int grow(File *file, int64_t size) {
  if (size <= file->room_bytes) return SQLITE_OK;
  int64_t room = size + size / 2 + 4096;
  char *data = sqlite3_realloc64(file->data, (sqlite3_uint64)room);
  if (!data) return SQLITE_IOERR_NOMEM;
  memset(data + file->room_bytes, 0, (size_t)(room - file->room_bytes));
  file->data = data;
  file->room_bytes = room;
  return SQLITE_OK;
}

static int file_write(sqlite3_file *base, const void *from, int size, sqlite3_int64 offset) {
  File *file = (File *)base;
  if (file->fd >= 0) {
    if (!sk_grant_holds(file->owner->place.grant)) return SQLITE_IOERR_WRITE;
    if (sk_broker_write_at(file->fd, from, (size_t)size, offset)) return SQLITE_OK;
    return sk_broker_is_full() ? SQLITE_FULL : SQLITE_IOERR_WRITE;
  }
  int status = grow(file, offset + size);
  if (status != SQLITE_OK) return status;
  memcpy(file->data + offset, from, (size_t)size);
  if (offset + size > file->size_bytes) file->size_bytes = offset + size;
  return SQLITE_OK;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size) {
  File *file = (File *)base;
  if (file->fd >= 0) return sk_broker_truncate(file->fd, size) ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
  if (size < file->size_bytes) {
    memset(file->data + size, 0, (size_t)(file->size_bytes - size));
    file->size_bytes = size;
  }
  return SQLITE_OK;
}

static int file_sync(sqlite3_file *base, int flags) {
  File *file = (File *)base;
  (void)flags;
  if (file->fd < 0) return SQLITE_OK;
  if (!sk_broker_sync(file->fd)) return SQLITE_IOERR_FSYNC;
  if (file->folder_changed && !sk_broker_place_sync(&file->owner->place))
    return SQLITE_IOERR_DIR_FSYNC;
  file->folder_changed = false;
  return SQLITE_OK;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size) {
  File *file = (File *)base;
  *size = file->fd >= 0 ? sk_broker_size(file->fd) : file->size_bytes;
  return *size < 0 ? SQLITE_IOERR_FSTAT : SQLITE_OK;
}

static int lock_shared(File *file) {
  if (!sk_broker_lock(file->fd, SK_LOCK_READ, PENDING_BYTE, 1)) return SQLITE_BUSY;
  bool fine = sk_broker_lock(file->fd, SK_LOCK_READ, SHARED_BYTES, SHARED_COUNT);
  bool freed = sk_broker_lock(file->fd, SK_LOCK_NONE, PENDING_BYTE, 1);
  return !fine ? SQLITE_BUSY : freed ? SQLITE_OK : SQLITE_IOERR_UNLOCK;
}

static int lock_exclusive(File *file) {
  if (file->lock < SQLITE_LOCK_PENDING) {
    if (!sk_broker_lock(file->fd, SK_LOCK_WRITE, PENDING_BYTE, 1)) return SQLITE_BUSY;
    file->lock = SQLITE_LOCK_PENDING;
  }
  return sk_broker_lock(file->fd, SK_LOCK_WRITE, SHARED_BYTES, SHARED_COUNT) ? SQLITE_OK
                                                                             : SQLITE_BUSY;
}

static int file_lock(sqlite3_file *base, int wanted) {
  File *file = (File *)base;
  if (file->fd < 0 || file->lock >= wanted) return SQLITE_OK;
  int status =
      wanted == SQLITE_LOCK_SHARED ? lock_shared(file)
      : wanted == SQLITE_LOCK_EXCLUSIVE
          ? lock_exclusive(file)
          : (sk_broker_lock(file->fd, SK_LOCK_WRITE, RESERVED_BYTE, 1) ? SQLITE_OK : SQLITE_BUSY);
  if (status == SQLITE_OK) file->lock = wanted;
  return status;
}

static int file_unlock(sqlite3_file *base, int wanted) {
  File *file = (File *)base;
  if (file->fd < 0 || file->lock <= wanted) return SQLITE_OK;
  bool fine = true;
  if (wanted == SQLITE_LOCK_SHARED) {
    fine = file->lock < SQLITE_LOCK_EXCLUSIVE ||
           sk_broker_lock(file->fd, SK_LOCK_READ, SHARED_BYTES, SHARED_COUNT);
    fine = sk_broker_lock(file->fd, SK_LOCK_NONE, PENDING_BYTE, 2) && fine;
  } else {
    fine = sk_broker_lock(file->fd, SK_LOCK_NONE, PENDING_BYTE, 2 + SHARED_COUNT);
  }
  file->lock = wanted;
  return fine ? SQLITE_OK : SQLITE_IOERR_UNLOCK;
}

static int file_is_reserved(sqlite3_file *base, int *reserved) {
  File *file = (File *)base;
  *reserved = file->fd >= 0 && (file->lock >= SQLITE_LOCK_RESERVED ||
                                sk_broker_is_locked(file->fd, RESERVED_BYTE, 1));
  return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int what, void *argument) {
  (void)base, (void)what, (void)argument;
  return SQLITE_NOTFOUND;
}
static int file_sector_size(sqlite3_file *base) {
  (void)base;
  return 4096;
}
static int file_traits(sqlite3_file *base) {
  (void)base;
  return 0;
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_is_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_traits,
};

/// The suffix of a name that SQLite asks for; NULL if it is none of the running database.
static const char *suffix_of(const char *name) {
  size_t size = strlen(DATABASE_NAME);
  if (!running || running->place.folder < 0 || strncmp(name, DATABASE_NAME, size) != 0) return NULL;
  const char *suffix = name + size;
  bool fine = !*suffix || strcmp(suffix, "-journal") == 0 || strcmp(suffix, "-wal") == 0;
  return fine ? suffix : NULL;
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *given) {
  (void)vfs;
  File *file = (File *)base;
  *file = (File){.fd = -1, .owner = running};
  if (name) {
    const char *suffix = suffix_of(name);
    if (!suffix) return SQLITE_CANTOPEN;
    bool create = flags & SQLITE_OPEN_CREATE;
    bool is_new = create && !sk_broker_place_has(&running->place, suffix);
    file->fd = sk_broker_place_file(&running->place, suffix, create);
    if (file->fd < 0) return SQLITE_CANTOPEN;
    file->folder_changed = is_new;
    file->goes_at_close = flags & SQLITE_OPEN_DELETEONCLOSE;
    memcpy(file->suffix, suffix, strlen(suffix) + 1);
  }
  if (given) *given = flags;
  base->pMethods = &file_methods;
  return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync) {
  (void)vfs;
  const char *suffix = suffix_of(name);
  if (!suffix || !sk_broker_place_remove(&running->place, suffix)) return SQLITE_IOERR_DELETE;
  return !sync || sk_broker_place_sync(&running->place) ? SQLITE_OK : SQLITE_IOERR_DIR_FSYNC;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *found) {
  (void)vfs, (void)flags;
  const char *suffix = suffix_of(name);
  *found = suffix && sk_broker_place_has(&running->place, suffix);
  return SQLITE_OK;
}

static int vfs_full_name(sqlite3_vfs *vfs, const char *name, int size, char *out) {
  (void)vfs;
  sqlite3_snprintf(size, out, "%s", name);
  return SQLITE_OK;
}

static int vfs_random(sqlite3_vfs *vfs, int size, char *out) {
  (void)vfs;
  sk_os_random(out, (size_t)size);
  return size;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds) {
  (void)vfs;
  nanosleep(&(struct timespec){microseconds / 1000000, microseconds % 1000000 * 1000}, NULL);
  return microseconds;
}

/// Milliseconds since the Julian epoch, by the VM's clock, if it has one.
static int vfs_time(sqlite3_vfs *vfs, sqlite3_int64 *out) {
  (void)vfs;
  SkCaps *caps = running ? &running->thread->vm->caps : NULL;
  if (!caps || !sk_caps_has(caps, SK_CAP_CLOCK)) return SQLITE_ERROR;
  int64_t ns = caps->clock == SK_CLOCK_FROZEN ? caps->frozen_wall_ns : sk_os_wall_ns();
  *out = 210866760000000 + ns / 1000000;
  return SQLITE_OK;
}

static int vfs_time_days(sqlite3_vfs *vfs, double *out) {
  sqlite3_int64 ms = 0;
  int status = vfs_time(vfs, &ms);
  *out = (double)ms / 86400000.0;
  return status;
}

static sqlite3_vfs file_system = {
    .iVersion = 2,
    .szOsFile = sizeof(File),
    .mxPathname = 64,
    .zName = "skerry",
    .xOpen = vfs_open,
    .xDelete = vfs_delete,
    .xAccess = vfs_access,
    .xFullPathname = vfs_full_name,
    .xRandomness = vfs_random,
    .xSleep = vfs_sleep,
    .xCurrentTime = vfs_time_days,
    .xCurrentTimeInt64 = vfs_time,
};

// ---- starting SQLite ----------------------------------------------------------------------------

enum { NOT_STARTED, STARTING, STARTED, REFUSED };

/// Once for the process. False if somebody else started SQLite before, with memory of its own.
static bool start_sqlite(void) {
  static int state;
  int expected = NOT_STARTED;
  if (__atomic_compare_exchange_n(&state, &expected, STARTING, false, __ATOMIC_ACQ_REL,
                                  __ATOMIC_ACQUIRE)) {
    static const sqlite3_mem_methods memory = {take,     give_back,   take_more,    size_of,
                                               round_up, memory_open, memory_close, NULL};
    bool fine = sqlite3_config(SQLITE_CONFIG_MALLOC, &memory) == SQLITE_OK &&
                sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK &&
                sqlite3_config(SQLITE_CONFIG_URI, 0) == SQLITE_OK &&
                sqlite3_initialize() == SQLITE_OK &&
                sqlite3_vfs_register(&file_system, 0) == SQLITE_OK;
    __atomic_store_n(&state, fine ? STARTED : REFUSED, __ATOMIC_RELEASE);
  }
  while ((expected = __atomic_load_n(&state, __ATOMIC_ACQUIRE)) == STARTING)
    nanosleep(&(struct timespec){0, 100000}, NULL);
  return expected == STARTED;
}

// ---- limits and rights --------------------------------------------------------------------------

/// Each STEP_OPS steps: not 0 stops the statement.
static int on_progress(void *context) {  // gc-lint: SQLite sets the arguments
  SkThread *thread = ((Database *)context)->thread;
  return !sk_native_charge(thread, STEP_FUEL) || !sk_native_may_go_on(thread);
}

static bool is_any(const char *name, const char *const *names) {
  while (*names && sqlite3_stricmp(name, *names) != 0) names++;
  return *names != NULL;
}

/// Pragmas that stay within the database.
static bool is_harmless(const char *pragma) {
  static const char *const names[] = {"analysis_limit",
                                      "application_id",
                                      "auto_vacuum",
                                      "automatic_index",
                                      "cache_size",
                                      "case_sensitive_like",
                                      "collation_list",
                                      "compile_options",
                                      "data_version",
                                      "database_list",
                                      "defer_foreign_keys",
                                      "encoding",
                                      "foreign_key_check",
                                      "foreign_key_list",
                                      "foreign_keys",
                                      "freelist_count",
                                      "function_list",
                                      "incremental_vacuum",
                                      "index_info",
                                      "index_list",
                                      "index_xinfo",
                                      "integrity_check",
                                      "journal_mode",
                                      "journal_size_limit",
                                      "locking_mode",
                                      "max_page_count",
                                      "optimize",
                                      "page_count",
                                      "page_size",
                                      "query_only",
                                      "quick_check",
                                      "read_uncommitted",
                                      "recursive_triggers",
                                      "reverse_unordered_selects",
                                      "secure_delete",
                                      "synchronous",
                                      "table_info",
                                      "table_list",
                                      "table_xinfo",
                                      "user_version",
                                      "wal_autocheckpoint",
                                      "wal_checkpoint",
                                      NULL};
  return is_any(pragma, names);
}

static int on_authorize(void *context, int action, const char *first, const char *second,
                        const char *database, const char *trigger) {
  static const char *const doors[] = {"load_extension", "fts3_tokenizer", "printf", "format", NULL};
  (void)context, (void)database, (void)trigger;
  bool fine = true;
  if (action == SQLITE_ATTACH)  // without a name: memory; VACUUM needs that
    fine = first && (!*first || strcmp(first, ":memory:") == 0);
  else if (action == SQLITE_PRAGMA)
    fine = first && is_harmless(first);
  else if (action == SQLITE_FUNCTION)
    fine = second && !is_any(second, doors);
  return fine ? SQLITE_OK : SQLITE_DENY;
}

// ---- functions in place of SQLite's: theirs take the product of two lengths
// ----------------------

static bool has_null(int count, sqlite3_value **args) {
  for (int i = 0; i < count; i++) {
    if (sqlite3_value_type(args[i]) == SQLITE_NULL) return true;
  }
  return false;
}

/// The bytes of a value; NULL when memory is out.
static const char *bytes_of(sqlite3_value *value, bool blob, size_t *size) {
  const void *data = blob ? sqlite3_value_blob(value) : (const void *)sqlite3_value_text(value);
  *size = (size_t)sqlite3_value_bytes(value);
  return data ? data : *size ? NULL : "";
}

static void sql_instr(sqlite3_context *context, int count, sqlite3_value **args) {
  if (has_null(count, args)) return;
  bool blob =
      sqlite3_value_type(args[0]) == SQLITE_BLOB && sqlite3_value_type(args[1]) == SQLITE_BLOB;
  size_t size, wanted_size;
  const char *text = bytes_of(args[0], blob, &size);
  const char *wanted = bytes_of(args[1], blob, &wanted_size);
  if (!text || !wanted) {
    sqlite3_result_error_nomem(context);
    return;
  }
  const char *found = wanted_size ? memmem(text, size, wanted, wanted_size) : text;
  int64_t at = found ? 1 : 0;
  for (const char *p = text; found && p < found; p++) at += blob || (*p & 0xC0) != 0x80;
  sqlite3_result_int64(context, at);
}

static void sql_replace(sqlite3_context *context, int count, sqlite3_value **args) {
  if (has_null(count, args)) return;
  size_t size, old_size, new_size, places = 0;
  const char *text = bytes_of(args[0], false, &size), *old = bytes_of(args[1], false, &old_size),
             *new = bytes_of(args[2], false, &new_size);
  if (!text || !old || !new) {
    sqlite3_result_error_nomem(context);
    return;
  }
  const char *end = text + size, *at = text;
  for (; old_size && (at = memmem(at, (size_t)(end - at), old, old_size)); at += old_size) places++;
  size_t made_size = size - places * old_size + places * new_size;
  if (made_size > (size_t)sqlite3_limit(running->db, SQLITE_LIMIT_LENGTH, -1)) {
    sqlite3_result_error_toobig(context);
    return;
  }
  char *made = sqlite3_malloc64(made_size + 1), *to = made;
  if (!made) {
    sqlite3_result_error_nomem(context);
    return;
  }
  at = text;
  for (size_t i = 0; i < places; i++) {
    const char *found = memmem(at, (size_t)(end - at), old, old_size);
    memcpy(to, at, (size_t)(found - at));
    memcpy(to + (found - at), new, new_size);
    to += (size_t)(found - at) + new_size;
    at = found + old_size;
  }
  memcpy(to, at, (size_t)(end - at));
  sqlite3_result_text64(context, made, made_size, sqlite3_free, SQLITE_UTF8);
}

typedef struct {
  const char *starts[TRIM_LIMIT];
  size_t sizes[TRIM_LIMIT];
  int count;
} TrimSet;

/// False: there are too many.
static bool trim_set(const char *text, size_t size, TrimSet *set) {
  for (size_t at = 0; at < size;) {
    size_t end = at + 1;
    while (end < size && (text[end] & 0xC0) == 0x80) end++;
    if (set->count == TRIM_LIMIT) return false;
    set->starts[set->count] = text + at;
    set->sizes[set->count++] = end - at;
    at = end;
  }
  return true;
}

/// How many bytes of the set begin (or, at_end, end) the text.
static size_t trimmed(const TrimSet *set, const char *text, size_t size, bool at_end) {
  for (int i = 0; i < set->count; i++) {
    size_t n = set->sizes[i];
    if (n <= size && memcmp(text + (at_end ? size - n : 0), set->starts[i], n) == 0) return n;
  }
  return 0;
}

/// The user data: bit 0 trims the start, bit 1 the end.
static void sql_trim(sqlite3_context *context, int count, sqlite3_value **args) {
  if (has_null(count, args)) return;
  uintptr_t ends = (uintptr_t)sqlite3_user_data(context);
  size_t size, set_size, n;
  const char *text = bytes_of(args[0], false, &size),
             *letters = bytes_of(args[1], false, &set_size);
  TrimSet set = {.count = 0};
  if (!text || !letters) {
    sqlite3_result_error_nomem(context);
    return;
  }
  if (!trim_set(letters, set_size, &set)) {
    sqlite3_result_error(context, "more than 100 characters to be trimmed", -1);
    return;
  }
  while (ends & 1 && (n = trimmed(&set, text, size, false))) text += n, size -= n;
  while (ends & 2 && (n = trimmed(&set, text, size, true))) size -= n;
  sqlite3_result_text64(context, text, size, SQLITE_TRANSIENT, SQLITE_UTF8);
}

typedef struct {
  const char *name;
  int count;
  uintptr_t data;
  void (*function)(sqlite3_context *, int, sqlite3_value **);
} SqlFunction;
static const SqlFunction functions[] = {
    {"instr", 2, 0, sql_instr}, {"replace", 3, 0, sql_replace}, {"ltrim", 2, 1, sql_trim},
    {"rtrim", 2, 2, sql_trim},  {"trim", 2, 3, sql_trim},
};

static int add_functions(sqlite3 *db) {
  int status = SQLITE_OK;
  for (size_t i = 0; i < SK_COUNT_OF(functions) && status == SQLITE_OK; i++) {
    const SqlFunction *row = &functions[i];
    status = sqlite3_create_function_v2(db, row->name, row->count,
                                        SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
                                        (void *)row->data, row->function, NULL, NULL, NULL);
  }
  return status;
}

static void set_limits(Database *database) {
  static const int limits[][2] = {
      {SQLITE_LIMIT_SQL_LENGTH, 1000000},       {SQLITE_LIMIT_EXPR_DEPTH, 500},
      {SQLITE_LIMIT_COMPOUND_SELECT, 200},      {SQLITE_LIMIT_ATTACHED, 3},
      {SQLITE_LIMIT_TRIGGER_DEPTH, 100},        {SQLITE_LIMIT_WORKER_THREADS, 0},
      {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000},
  };
  sqlite3 *db = database->db;
  size_t heap = sk_heap_stats(database->thread->heap).limit_bytes;
  for (size_t i = 0; i < SK_COUNT_OF(limits); i++) sqlite3_limit(db, limits[i][0], limits[i][1]);
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, heap < VALUE_LIMIT_BYTES ? (int)heap : VALUE_LIMIT_BYTES);
  sqlite3_extended_result_codes(db, 1);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
  sqlite3_progress_handler(db, STEP_OPS, on_progress, database);
  sqlite3_set_authorizer(db, on_authorize, database);
}

// ---- databases ----------------------------------------------------------------------------------

static void close_database(SkResource *resource) {
  Database *database = resource->data;
  running = database;
  for (uint32_t i = 0; i < database->statement_count; i++)
    sqlite3_finalize(database->statements[i].statement);
  sqlite3_close_v2(database->db);
  running = NULL;
  sk_broker_place_close(&database->place);
  sk_free(database->statements);
  sk_free(database);
}

static bool give_message(SkThread *thread, SkSlot *slot, const SkBuf *problem) {
  return problem->failed
             ? sk_fault_memory(thread)
             : sk_give_text(thread, slot, problem->data ? problem->data : "", problem->size);
}

/// Puts a database into the VM's table. Its number in result[0], or -1 and a problem. False with a
/// fault pending. The place is taken.
static bool open_database(SkThread *thread, const SkPlace *place, int flags, SkSlot *result,
                          SkBuf *problem) {
  SkResources *resources = &thread->vm->resources;
  Database *database = sk_calloc(1, sizeof *database);
  SkResource *resource =
      database ? sk_resource_open(resources, SK_RESOURCE_DATABASE, -1, place->grant) : NULL;
  if (!resource) {
    SkPlace unused = *place;
    sk_broker_place_close(&unused);
    sk_free(database);
    if (!database || resources->count < SK_RESOURCE_LIMIT) return sk_fault_memory(thread);
    sk_buf_printf(problem, "more than %u files and databases are open", SK_RESOURCE_LIMIT);
    return true;
  }
  *database = (Database){.thread = thread, .place = *place, .next_serial = 1, .patience_ms = 5000};
  resource->data = database;
  resource->close = close_database;
  running = database;
  const char *name = place->folder < 0 ? ":memory:" : DATABASE_NAME;
  int status = sqlite3_open_v2(name, &database->db,
                               flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, "skerry");
  if (status == SQLITE_OK) set_limits(database);
  if (status == SQLITE_OK) status = add_functions(database->db);
  running = NULL;
  if (status == SQLITE_OK) {
    result[0].i = sk_resource_number(resources, resource);
    return true;
  }
  if (status != SQLITE_NOMEM) sk_buf_cstr(problem, sqlite3_errstr(status));
  sk_resource_close(resource);
  return status != SQLITE_NOMEM || sk_fault_memory(thread);
}

static bool begin_open(SkBuf *problem) {
  if (start_sqlite()) return true;
  sk_buf_cstr(problem, "the host started SQLite before Skerry could, so its memory is not counted");
  return false;
}

static bool end_open(SkThread *thread, bool fine, SkSlot *result, SkBuf *problem) {
  fine = fine && give_message(thread, &result[1], problem);
  sk_buf_deinit(problem);
  return fine;
}

bool sk_native_sqlite_memory(SkThread *thread, SkSlot *result) {
  SkBuf problem = {0};
  SkPlace nowhere = {.folder = -1};
  bool fine = true;
  result[0].i = -1;
  if (begin_open(&problem))
    fine = open_database(thread, &nowhere, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, result,
                         &problem);
  return end_open(thread, fine, result, &problem);
}

static bool open_file(SkThread *thread, const SkGranted *granted, SkString *path, bool writes,
                      bool create, SkSlot *result) {
  SkBuf problem = {0};
  SkPlace place;
  SkStr name = sk_string_view(path);
  bool fine = true;
  result[0].i = -1;
  if (begin_open(&problem) && sk_broker_place_open(granted, name, writes, &place, &problem)) {
    int fd = sk_broker_place_file(&place, "", create);
    if (fd < 0) {
      sk_broker_explain(name, "cannot be opened", &problem);
      sk_broker_place_close(&place);
    } else {
      sk_broker_close(fd);
      int flags =
          writes ? SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0) : SQLITE_OPEN_READONLY;
      fine = open_database(thread, &place, flags, result, &problem);
    }
  }
  return end_open(thread, fine, result, &problem);
}

bool sk_native_sqlite_read(SkThread *thread, const SkGranted *granted, SkString *path,
                           SkSlot *result) {
  return open_file(thread, granted, path, false, false, result);
}
bool sk_native_sqlite_write(SkThread *thread, const SkGranted *granted, SkString *path, bool create,
                            SkSlot *result) {
  return open_file(thread, granted, path, true, create, result);
}

bool sk_native_sqlite_close(SkThread *thread, const SkGranted *granted) {
  (void)thread;
  sk_resource_close(sk_broker_resource(granted));
  return true;
}

// ---- statements ---------------------------------------------------------------------------------

static Database *enter(const SkGranted *granted) {
  return running = sk_broker_resource(granted)->data;
}

/// What a call came to: the extended code and SQLite's words for it. False with a fault pending.
static bool leave(SkThread *thread, int status, SkSlot *code, SkSlot *text) {
  Database *database = running;
  running = NULL;
  if (thread->vm->pending != SK_PENDING_NONE) return false;  // a limit stopped it
  if ((status & 0xFF) == SQLITE_NOMEM || status == SQLITE_IOERR_NOMEM)
    return sk_fault_memory(thread);
  bool failed = status != SQLITE_OK && status != SQLITE_ROW && status != SQLITE_DONE;
  if (failed && code) code->i = status;
  const char *words = failed ? sqlite3_errmsg(database->db) : "";
  if (failed && sqlite3_errcode(database->db) == SQLITE_OK) words = sqlite3_errstr(status);
  return sk_give_text(thread, text, words, strlen(words));
}

#define INDEX_BITS 16
/// NULL if the number is none of a statement here.
static sqlite3_stmt *statement_at(const Database *database, int64_t number) {
  uint64_t index = (uint64_t)number & ((1u << INDEX_BITS) - 1);
  if (index >= database->statement_count) return NULL;
  const Statement *found = &database->statements[index];
  return found->serial == (uint64_t)number >> INDEX_BITS ? found->statement : NULL;
}

/// A free place; NULL if there is none.
static Statement *new_statement(Database *database) {
  uint32_t i = 0;
  while (i < database->statement_count && database->statements[i].statement) i++;
  if (i == database->statement_count) {
    uint32_t count = i ? i * 2 : 8;
    if (i == STATEMENT_LIMIT) return NULL;
    Statement *grown = sk_realloc(database->statements, count * sizeof *grown);
    if (!grown) return NULL;
    memset(grown + i, 0, (count - i) * sizeof *grown);
    database->statements = grown;
    database->statement_count = count;
  }
  return &database->statements[i];
}

/// From byte `from` of the text on. Results: code, number (-1: there is no statement, just space),
/// where the text goes on, problem.
bool sk_native_sqlite_prepare(SkThread *thread, const SkGranted *granted, SkString *sql,
                              int64_t from, SkSlot *result) {
  Database *database = enter(granted);
  result[1].i = -1;
  Statement *place = new_statement(database);
  if (!place || from < 0 || from > sql->size_bytes) {
    running = NULL;
    result[0].i = SQLITE_ERROR;
    SkBuf problem = {0};
    sk_buf_printf(&problem, "more than %u statements are open", STATEMENT_LIMIT);
    bool fine = give_message(thread, &result[3], &problem);
    sk_buf_deinit(&problem);
    return fine;
  }
  const char *tail = NULL;
  sqlite3_stmt *made = NULL;
  int status = sqlite3_prepare_v3(database->db, sql->data + from, (int)(sql->size_bytes - from), 0,
                                  &made, &tail);
  if (status == SQLITE_OK && made) {
    *place = (Statement){made, database->next_serial++};
    result[1].i = (int64_t)(place->serial << INDEX_BITS | (uint64_t)(place - database->statements));
  }
  result[2].i = tail ? tail - sql->data : sql->size_bytes;
  return leave(thread, status, &result[0], &result[3]);
}

bool sk_native_sqlite_finish(SkThread *thread, const SkGranted *granted, int64_t number) {
  Database *database = enter(granted);
  sqlite3_stmt *statement = statement_at(database, number);
  if (statement) {
    sqlite3_finalize(statement);
    database->statements[(uint64_t)number & ((1u << INDEX_BITS) - 1)].statement = NULL;
  }
  running = NULL;
  return thread->vm->pending == SK_PENDING_NONE;
}

/// The statement, or NULL: then the results say that it is closed, and *fine is what to return.
static sqlite3_stmt *begin(SkThread *thread, const SkGranted *granted, int64_t number, SkSlot *code,
                           SkSlot *text, bool *fine) {
  sqlite3_stmt *statement = statement_at(enter(granted), number);
  if (statement) return statement;
  running = NULL;
  if (code) code->i = SQLITE_MISUSE;
  static const char words[] = "the statement is closed";
  *fine = sk_give_text(thread, text, words, sizeof words - 1);
  return NULL;
}

bool sk_native_sqlite_parameters(SkThread *thread, const SkGranted *granted, int64_t number,
                                 SkSlot *result) {
  bool fine;
  sqlite3_stmt *statement = begin(thread, granted, number, NULL, &result[1], &fine);
  if (!statement) return fine;
  result[0].i = sqlite3_bind_parameter_count(statement);
  return leave(thread, SQLITE_OK, NULL, &result[1]);
}

/// The number of a parameter by its name, with its sign in front; 0 if there is none.
bool sk_native_sqlite_parameter(SkThread *thread, const SkGranted *granted, int64_t number,
                                SkString *name, SkSlot *result) {
  bool fine;
  sqlite3_stmt *statement = begin(thread, granted, number, NULL, &result[1], &fine);
  if (!statement) return fine;
  result[0].i = sqlite3_bind_parameter_index(statement, name->data);
  return leave(thread, SQLITE_OK, NULL, &result[1]);
}

bool sk_native_sqlite_bind_null(SkThread *thread, const SkGranted *granted, int64_t number,
                                int64_t at, SkSlot *result) {
  bool fine;
  sqlite3_stmt *statement = begin(thread, granted, number, &result[0], &result[1], &fine);
  if (!statement) return fine;
  return leave(thread, sqlite3_bind_null(statement, (int)at), &result[0], &result[1]);
}

bool sk_native_sqlite_bind_int(SkThread *thread, const SkGranted *granted, int64_t number,
                               int64_t at, int64_t value, SkSlot *result) {
  bool fine;
  sqlite3_stmt *statement = begin(thread, granted, number, &result[0], &result[1], &fine);
  if (!statement) return fine;
  return leave(thread, sqlite3_bind_int64(statement, (int)at, value), &result[0], &result[1]);
}

bool sk_native_sqlite_bind_float(SkThread *thread, const SkGranted *granted, int64_t number,
                                 int64_t at, double value, SkSlot *result) {
  bool fine;
  sqlite3_stmt *statement = begin(thread, granted, number, &result[0], &result[1], &fine);
  if (!statement) return fine;
  return leave(thread, sqlite3_bind_double(statement, (int)at, value), &result[0], &result[1]);
}

bool sk_native_sqlite_bind_text(SkThread *thread, const SkGranted *granted, int64_t number,
                                int64_t at, SkString *value, SkSlot *result) {
  bool fine;
  sqlite3_stmt *statement = begin(thread, granted, number, &result[0], &result[1], &fine);
  if (!statement) return fine;
  int status = sqlite3_bind_text64(statement, (int)at, value->data, value->size_bytes,
                                   SQLITE_TRANSIENT, SQLITE_UTF8);
  return leave(thread, status, &result[0], &result[1]);
}

bool sk_native_sqlite_bind_blob(SkThread *thread, const SkGranted *granted, int64_t number,
                                int64_t at, SkList *value, SkSlot *result) {
  bool fine;
  sqlite3_stmt *statement = begin(thread, granted, number, &result[0], &result[1], &fine);
  if (!statement) return fine;
  const void *data = value->length ? sk_list_data(thread->heap, value) : "";
  int status = sqlite3_bind_blob64(statement, (int)at, data, value->length, SQLITE_TRANSIENT);
  return leave(thread, status, &result[0], &result[1]);
}

/// Results: 1 for a row, 0 at the end; code; problem.
bool sk_native_sqlite_step(SkThread *thread, const SkGranted *granted, int64_t number,
                           SkSlot *result) {
  bool fine;
  sqlite3_stmt *statement = begin(thread, granted, number, &result[1], &result[2], &fine);
  if (!statement) return fine;
  int status = sqlite3_step(statement);
  result[0].i = status == SQLITE_ROW;
  return leave(thread, status, &result[1], &result[2]);
}

/// Back to the start, with its parameters.
bool sk_native_sqlite_reset(SkThread *thread, const SkGranted *granted, int64_t number,
                            SkSlot *result) {
  bool fine;
  sqlite3_stmt *statement = begin(thread, granted, number, &result[0], &result[1], &fine);
  if (!statement) return fine;
  sqlite3_reset(statement);  // what the last step said is known
  return leave(thread, SQLITE_OK, &result[0], &result[1]);
}

// ---- rows ---------------------------------------------------------------------------------------

bool sk_native_sqlite_columns(SkThread *thread, const SkGranted *granted, int64_t number,
                              SkSlot *result) {
  bool fine;
  SK_HANDLES(scope, thread->heap);
  sqlite3_stmt *statement = begin(thread, granted, number, NULL, &result[1], &fine);
  if (!statement) return fine;
  SkStrings strings;
  fine = sk_strings_open(&strings, thread, &result[0]);
  int count = sqlite3_column_count(statement);
  for (int i = 0; fine && i < count; i++) {
    const char *name = sqlite3_column_name(statement, i);
    size_t size = name ? strlen(name) : 0;
    fine = name ? sk_native_charge(thread, 20) && sk_strings_add(&strings, name, size)
                : sk_fault_memory(thread);
  }
  fine = leave(thread, SQLITE_OK, NULL, &result[1]) && fine;
  return fine;
}

/// 0 null, 1 int, 2 float, 3 text, 4 blob.
bool sk_native_sqlite_kind(SkThread *thread, const SkGranted *granted, int64_t number, int64_t at,
                           SkSlot *result) {
  bool fine;
  sqlite3_stmt *statement = begin(thread, granted, number, NULL, &result[1], &fine);
  if (!statement) return fine;
  int type = sqlite3_column_type(statement, (int)at);
  result[0].i = type == SQLITE_INTEGER ? 1
                : type == SQLITE_FLOAT ? 2
                : type == SQLITE_TEXT  ? 3
                : type == SQLITE_BLOB  ? 4
                                       : 0;
  return leave(thread, SQLITE_OK, NULL, &result[1]);
}

bool sk_native_sqlite_int(SkThread *thread, const SkGranted *granted, int64_t number, int64_t at,
                          SkSlot *result) {
  (void)thread;
  sqlite3_stmt *statement = statement_at(enter(granted), number);
  if (statement) result->i = sqlite3_column_int64(statement, (int)at);
  running = NULL;
  return true;
}

bool sk_native_sqlite_float(SkThread *thread, const SkGranted *granted, int64_t number, int64_t at,
                            SkSlot *result) {
  (void)thread;
  sqlite3_stmt *statement = statement_at(enter(granted), number);
  if (statement) result->f = sqlite3_column_double(statement, (int)at);
  running = NULL;
  return true;
}

bool sk_native_sqlite_text(SkThread *thread, const SkGranted *granted, int64_t number, int64_t at,
                           SkSlot *result) {
  sqlite3_stmt *statement = statement_at(enter(granted), number);
  const char *text = statement ? (const char *)sqlite3_column_text(statement, (int)at) : NULL;
  size_t size = text ? (size_t)sqlite3_column_bytes(statement, (int)at) : 0;
  running = NULL;
  if (!text) return !statement || sk_fault_memory(thread);
  return sk_native_charge(thread, size / 16) && sk_give_text(thread, result, text, size);
}

bool sk_native_sqlite_blob(SkThread *thread, const SkGranted *granted, int64_t number, int64_t at,
                           SkSlot *result) {
  sqlite3_stmt *statement = statement_at(enter(granted), number);
  const void *data = statement ? sqlite3_column_blob(statement, (int)at) : NULL;
  size_t size = data ? (size_t)sqlite3_column_bytes(statement, (int)at) : 0;
  running = NULL;
  if (!statement) return true;
  if (!sk_native_charge(thread, size / 16)) return false;
  SkList *list = sk_list_new(thread, SK_TI_BYTES, (uint32_t)size);
  if (!list) return false;
  if (size) memcpy(sk_list_data(thread->heap, list), data, size);
  list->length = (uint32_t)size;
  result->u = sk_gc_ref(thread->heap, list).bits;
  return true;
}

/// Rows that the last statement changed, the key of the row inserted last, 1 within a transaction.
bool sk_native_sqlite_state(SkThread *thread, const SkGranted *granted, SkSlot *result) {
  Database *database = enter(granted);
  result[0].i = sqlite3_changes64(database->db);
  result[1].i = sqlite3_last_insert_rowid(database->db);
  result[2].i = !sqlite3_get_autocommit(database->db);
  return leave(thread, SQLITE_OK, NULL, &result[3]);
}

bool sk_native_sqlite_patience(SkThread *thread, const SkGranted *granted, int64_t ms,
                               SkSlot *result) {
  enter(granted)->patience_ms = ms < 0 ? 0 : ms;
  return leave(thread, SQLITE_OK, NULL, &result[1]);
}

/// Somebody else holds a lock: waits a moment, and says if it is worth another try. The module
/// loops, so that the other VMs of the process, which may hold it, get their turns.
bool sk_native_sqlite_wait(SkThread *thread, const SkGranted *granted, bool first, SkSlot *result) {
  Database *database = enter(granted);
  uint64_t now = sk_os_monotonic_ns();
  if (first) database->waits_since_ns = now;
  result[0].u = (int64_t)((now - database->waits_since_ns) / 1000000) < database->patience_ms;
  if (result[0].u) nanosleep(&(struct timespec){0, 1000000}, NULL);
  bool goes_on = sk_native_may_go_on(thread);
  return leave(thread, SQLITE_OK, NULL, &result[1]) && goes_on;
}
