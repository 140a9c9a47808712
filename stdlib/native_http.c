// Natives of std.http: reading and writing the heads of messages, by RFC 9112 (HTTP/1.1) and
// RFC 9110 (field values). Pure work on bytes.
//
// What two servers on one way could understand differently is refused rather than repaired, since
// that is how requests are smuggled: a line that ends in LF alone, a CR within one, folded lines,
// blanks before the colon, Content-Length twice or with anything but digits, Transfer-Encoding
// beside Content-Length, twice, or other than "chunked", more than one Host.
//
// A head that was read is a list of numbers, all places counted from the head's first byte:
#include "base/os.h"
#include "stdlib/natives.h"

enum {
  MARK_FIRST,        // method: start, or the status
  MARK_FIRST_SIZE,   // method: size, or 0
  MARK_SECOND,       // target or reason: start
  MARK_SECOND_SIZE,  // and size
  MARK_MINOR,        // of the version
  MARK_LENGTH,       // Content-Length; -1: none; -2: chunked
  MARK_FLAGS,        // FLAG_...
  MARK_FIELD_COUNT,  // fields follow: start and size of the name, start and size of the value
  MARK_COUNT
};
enum { FLAG_KEEP = 1, FLAG_CONTINUE = 2, FLAG_HOST = 4 };
#define FIELD_LIMIT 200
#define TARGET_LIMIT 8000

typedef struct {
  const uint8_t *data;
  uint32_t at, size;
  bool is_response;
  int64_t marks[MARK_COUNT + 4 * FIELD_LIMIT];
  bool has_length, has_encoding, has_keep, has_close;
} Head;

// ---- characters ---------------------------------------------------------------------------------

static bool is_token(uint8_t c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return c && strchr("!#$%&'*+-.^_`|~", c);
}
static bool is_text(uint8_t c) {
  return c == '\t' || (c >= ' ' && c != 0x7F);
}
static bool is_digit(uint8_t c) {
  return c >= '0' && c <= '9';
}
static bool is_blank(uint8_t c) {
  return c == ' ' || c == '\t';
}
static uint8_t lower(uint8_t c) {
  return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}
static bool is_word(const uint8_t *data, uint32_t size, const char *word) {
  if (size != strlen(word)) return false;
  for (uint32_t i = 0; i < size; i++) {
    if (lower(data[i]) != (uint8_t)word[i]) return false;
  }
  return true;
}

// ---- reading a head -----------------------------------------------------------------------------
// These functions give 0, or the status that the message is refused with.

/// The next line, without its end. *found: false if its end has not come yet.
static int take_line(Head *head, uint32_t *start, uint32_t *size, bool *found) {
  const uint8_t *from = head->data + head->at;
  const uint8_t *end = memchr(from, '\n', head->size - head->at);
  *found = end != NULL;
  if (!end) return 0;
  if (end == from || end[-1] != '\r') return 400;
  *start = head->at;
  *size = (uint32_t)(end - from) - 1;
  head->at += *size + 2;
  return 0;
}

static int read_version(Head *head, const uint8_t *text, uint32_t size) {
  if (size != 8 || memcmp(text, "HTTP/", 5) != 0 || !is_digit(text[5]) || text[6] != '.' ||
      !is_digit(text[7]))
    return 400;
  if (text[5] != '1') return 505;
  head->marks[MARK_MINOR] = text[7] - '0';
  return 0;
}

static bool is_target(const uint8_t *method, uint32_t method_size, const uint8_t *target,
                      uint32_t size) {
  for (uint32_t i = 0; i < size; i++) {
    if (target[i] <= ' ' || target[i] >= 0x7F) return false;
  }
  if (size == 1 && target[0] == '*') return is_word(method, method_size, "options");
  return size && (target[0] == '/' || (size > 7 && memcmp(target, "http://", 7) == 0) ||
                  (size > 8 && memcmp(target, "https://", 8) == 0));
}

static int read_request_line(Head *head, uint32_t start, uint32_t size) {
  const uint8_t *line = head->data + start;
  uint32_t method = 0;
  while (method < size && is_token(line[method])) method++;
  if (method == 0 || method == size || line[method] != ' ') return 400;
  uint32_t target = method + 1;
  const uint8_t *blank = memchr(line + target, ' ', size - target);
  if (!blank) return 400;
  uint32_t target_size = (uint32_t)(blank - line) - target;
  if (target_size > TARGET_LIMIT) return 414;
  int bad = read_version(head, blank + 1, size - (target + target_size + 1));
  if (bad) return bad;
  if (is_word(line, method, "connect")) return 501;
  if (!is_target(line, method, line + target, target_size)) return 400;
  head->marks[MARK_FIRST] = start;
  head->marks[MARK_FIRST_SIZE] = method;
  head->marks[MARK_SECOND] = start + target;
  head->marks[MARK_SECOND_SIZE] = target_size;
  return 0;
}

static int read_status_line(Head *head, uint32_t start, uint32_t size) {
  const uint8_t *line = head->data + start;
  if (size < 12 || line[8] != ' ' || (size > 12 && line[12] != ' ')) return 400;
  int bad = read_version(head, line, 8);
  if (bad) return bad;
  int status = 0;
  for (int i = 9; i < 12; i++) {
    if (!is_digit(line[i])) return 400;
    status = status * 10 + (line[i] - '0');
  }
  if (status < 100) return 400;
  head->marks[MARK_FIRST] = status;
  head->marks[MARK_SECOND] = start + (size > 12 ? 13 : 12);
  head->marks[MARK_SECOND_SIZE] = size > 13 ? size - 13 : 0;
  for (uint32_t i = 12; i < size; i++) {
    if (!is_text(line[i])) return 400;
  }
  return 0;
}

static int read_length(Head *head, const uint8_t *value, uint32_t size) {
  if (head->has_length || size == 0 || size > 18) return 400;
  int64_t length = 0;
  for (uint32_t i = 0; i < size; i++) {
    if (!is_digit(value[i])) return 400;
    length = length * 10 + (value[i] - '0');
  }
  head->has_length = true;
  head->marks[MARK_LENGTH] = length;
  return 0;
}

static void read_connection(Head *head, const uint8_t *value, uint32_t size) {
  for (uint32_t i = 0; i < size;) {
    uint32_t end = i;
    while (end < size && value[end] != ',') end++;
    uint32_t last = end;
    while (i < last && is_blank(value[i])) i++;
    while (last > i && is_blank(value[last - 1])) last--;
    head->has_close |= is_word(value + i, last - i, "close");
    head->has_keep |= is_word(value + i, last - i, "keep-alive");
    i = end + 1;
  }
}

static int read_host(Head *head, const uint8_t *value, uint32_t size) {
  if (head->marks[MARK_FLAGS] & FLAG_HOST) return 400;
  head->marks[MARK_FLAGS] |= FLAG_HOST;
  for (uint32_t i = 0; i < size; i++) {
    if (!is_token(value[i]) && !strchr(":[]()=;", value[i])) return 400;
  }
  return 0;
}

/// What a field means for where the message ends and what comes after it.
static int read_meaning(Head *head, const uint8_t *name, uint32_t name_size, const uint8_t *value,
                        uint32_t size) {
  switch (name_size) {
    case 4:
      return !head->is_response && is_word(name, 4, "host") ? read_host(head, value, size) : 0;
    case 6:
      if (head->is_response || !is_word(name, 6, "expect")) return 0;
      if (!is_word(value, size, "100-continue")) return 417;
      head->marks[MARK_FLAGS] |= FLAG_CONTINUE;
      return 0;
    case 10:
      if (is_word(name, 10, "connection")) read_connection(head, value, size);
      return 0;
    case 14:
      return is_word(name, 14, "content-length") ? read_length(head, value, size) : 0;
    case 17:
      if (!is_word(name, 17, "transfer-encoding")) return 0;
      if (head->has_encoding) return 400;
      head->has_encoding = true;
      return is_word(value, size, "chunked") ? 0 : 501;
    default:
      return 0;
  }
}

static int read_field(Head *head, uint32_t start, uint32_t size) {
  const uint8_t *line = head->data + start;
  uint32_t name = 0;
  while (name < size && is_token(line[name])) name++;
  if (name == 0 || name == size || line[name] != ':') return 400;
  uint32_t from = name + 1, end = size;
  while (from < end && is_blank(line[from])) from++;
  while (end > from && is_blank(line[end - 1])) end--;
  for (uint32_t i = from; i < end; i++) {
    if (!is_text(line[i])) return 400;
  }
  int64_t count = head->marks[MARK_FIELD_COUNT];
  if (count == FIELD_LIMIT) return 431;
  head->marks[MARK_FIELD_COUNT]++;
  int64_t *marks = &head->marks[MARK_COUNT + 4 * count];
  marks[0] = start;
  marks[1] = name;
  marks[2] = start + from;
  marks[3] = end - from;
  return read_meaning(head, line, name, line + from, end - from);
}

static int finish_head(Head *head) {
  bool new = head->marks[MARK_MINOR] > 0;
  if (head->has_encoding) {
    if (head->has_length || !new) return 400;
    head->marks[MARK_LENGTH] = -2;
  }
  if (!head->is_response && new && !(head->marks[MARK_FLAGS] & FLAG_HOST)) return 400;
  if (!head->has_close && (new || head->has_keep)) head->marks[MARK_FLAGS] |= FLAG_KEEP;
  return 0;
}

/// 0: read, or not there whole (*whole off); else the status of the refusal.
static int read_head(Head *head, bool *whole) {
  uint32_t start, size;
  bool found, first = true;
  *whole = false;
  head->marks[MARK_LENGTH] = -1;
  while (true) {
    int bad = take_line(head, &start, &size, &found);
    if (bad || !found) return bad;
    if (first && size == 0 && start == 0) continue;  // an empty line before a request
    if (size == 0) break;
    if (first)
      bad = head->is_response ? read_status_line(head, start, size)
                              : read_request_line(head, start, size);
    else
      bad = read_field(head, start, size);
    if (bad) return bad;
    first = false;
  }
  if (first) return 400;
  *whole = true;
  return finish_head(head);
}

/// Reads the head that begins at `from`: its size, 0 if it is not there whole, or the negative
/// status of a refusal.
bool sk_native_http_parse(SkThread *thread, SkList *input, int64_t from, bool is_response,
                          int64_t limit, SkList *marks, SkSlot *result) {
  if (from < 0 || from > input->length) return sk_fault_text(thread, "no such place in the input");
  uint32_t size = input->length - (uint32_t)from;
  if (!sk_native_charge(thread, size / 8)) return false;
  if (size == 0) return true;
  Head head;  // the marks of fields are set as they come
  memset(head.marks, 0, MARK_COUNT * sizeof *head.marks);
  head.data = (const uint8_t *)sk_list_data(thread->heap, input) + from;
  head.at = 0;
  head.size = size;
  head.is_response = is_response;
  head.has_length = head.has_encoding = head.has_keep = head.has_close = false;
  bool whole;
  int bad = read_head(&head, &whole);
  if (!bad && (whole ? head.at : size) > limit) bad = 431;
  result->i = bad ? -(int64_t)bad : whole ? (int64_t)head.at : 0;
  if (bad || !whole) return true;
  uint32_t count = MARK_COUNT + 4 * (uint32_t)head.marks[MARK_FIELD_COUNT];
  if (!sk_list_reserve(thread, marks, count)) return false;
  memcpy(sk_list_data(thread->heap, marks), head.marks, count * sizeof *head.marks);
  marks->length = count;
  return true;
}

/// Bytes of a list as text.
bool sk_native_http_text(SkThread *thread, SkList *data, int64_t start, int64_t size,
                         SkSlot *result) {
  if (start < 0 || size < 0 || start + size > data->length)
    return sk_fault_text(thread, "no such place in the head");
  const char *bytes = data->length ? sk_list_data(thread->heap, data) : "";
  return sk_give_text(thread, result, bytes + start, (size_t)size);
}

/// The value of the first field of a name (in lower case); null if there is none.
bool sk_native_http_field(SkThread *thread, SkList *data, SkList *marks, SkString *name,
                          SkSlot *result) {
  const int64_t *all = marks->length ? sk_list_data(thread->heap, marks) : NULL;
  const uint8_t *bytes = data->length ? sk_list_data(thread->heap, data) : NULL;
  for (uint32_t i = MARK_COUNT; i + 4 <= marks->length; i += 4) {
    const int64_t *field = all + i;
    if (field[0] < 0 || field[1] < 0 || field[2] < 0 || field[3] < 0 ||
        field[0] + field[1] > data->length || field[2] + field[3] > data->length)
      return sk_fault_text(thread, "no such place in the head");
    if (is_word(bytes + field[0], (uint32_t)field[1], name->data))
      return sk_give_text(thread, result, (const char *)bytes + field[2], (size_t)field[3]);
  }
  return true;
}

/// Takes the first `size` bytes off a list.
bool sk_native_http_drop(SkThread *thread, SkList *data, int64_t size) {
  if (size <= 0) return true;
  if (size > data->length) size = data->length;
  char *bytes = sk_list_data(thread->heap, data);
  data->length -= (uint32_t)size;
  memmove(bytes, bytes + size, data->length);
  return true;
}

// ---- chunks -------------------------------------------------------------------------------------

enum { CHUNK_SIZE, CHUNK_DATA, CHUNK_END, CHUNK_TRAILER, CHUNK_DONE };
#define CHUNK_LINE_LIMIT 4096

/// "1a;name=value": hexadecimal digits, and perhaps extensions, which mean nothing here.
static int read_chunk_size(const uint8_t *line, uint32_t size, int64_t *out) {
  uint32_t at = 0;
  int64_t value = 0;
  for (; at < size; at++) {
    uint8_t c = lower(line[at]);
    int digit = is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) break;
    if (at == 15) return 400;
    value = value * 16 + digit;
  }
  if (at == 0) return 400;
  if (at < size && line[at] != ';' && !is_blank(line[at])) return 400;
  for (; at < size; at++) {
    if (!is_text(line[at])) return 400;
  }
  *out = value;
  return 0;
}

/// One step. *more: false if what comes next is not there yet. state: phase, bytes left of the
/// chunk, bytes of the trailer.
static int chunk_step(SkThread *thread, Head *in, int64_t state[3], SkList *out, int64_t limit,
                      bool *more) {
  uint32_t start, size;
  if (state[0] == CHUNK_DATA) {
    uint32_t left = in->size - in->at;
    size = (int64_t)left < state[1] ? left : (uint32_t)state[1];
    *more = size > 0 || state[1] == 0;
    if ((int64_t)out->length + size > limit) return 413;
    if (size && !sk_list_reserve(thread, out, (uint64_t)out->length + size)) return -1;
    if (size)
      memcpy((char *)sk_list_data(thread->heap, out) + out->length, in->data + in->at, size);
    out->length += size;
    in->at += size;
    state[1] -= size;
    if (state[1] == 0) state[0] = CHUNK_END;
    return 0;
  }
  int bad = take_line(in, &start, &size, more);
  if (bad) return bad;
  if (!*more) return in->size - in->at > CHUNK_LINE_LIMIT ? 400 : 0;
  if (size > CHUNK_LINE_LIMIT) return 400;
  switch (state[0]) {
    case CHUNK_SIZE:
      bad = read_chunk_size(in->data + start, size, &state[1]);
      state[0] = state[1] ? CHUNK_DATA : CHUNK_TRAILER;
      return bad ? bad : state[1] > limit - (int64_t)out->length ? 413 : 0;
    case CHUNK_END:
      state[0] = CHUNK_SIZE;
      return size == 0 ? 0 : 400;
    default:
      state[2] += size;
      if (size == 0) state[0] = CHUNK_DONE;
      return state[2] > CHUNK_LINE_LIMIT ? 431 : 0;
  }
}

/// Adds the data of chunks from `from` on to `out`: how many bytes of the input are done with, or
/// the negative status of a refusal. state: three numbers, 0 at the start; 4 in the first: the end.
bool sk_native_http_unchunk(SkThread *thread, SkList *input, int64_t from, SkList *out,
                            int64_t limit, SkList *state, SkSlot *result) {
  if (from < 0 || from > input->length || state->length != 3 || input == out)
    return sk_fault_text(thread, "no such place in the input");
  int64_t *phase = sk_list_data(thread->heap, state);
  Head in;
  in.data = input->length ? sk_list_data(thread->heap, input) : (const uint8_t *)"";
  in.at = (uint32_t)from;
  in.size = input->length;
  if (!sk_native_charge(thread, (in.size - in.at) / 16)) return false;
  bool more = true;
  while (more && phase[0] != CHUNK_DONE) {
    int bad = chunk_step(thread, &in, phase, out, limit, &more);
    if (bad < 0) return false;
    result->i = bad ? -bad : (int64_t)in.at - from;
    if (bad) return true;
  }
  return true;
}

// ---- writing heads ------------------------------------------------------------------------------

typedef struct {
  SkThread *thread;
  SkList *list;
  bool failed;  // with a fault pending
} SkOutCall;

static void add(SkOutCall *out, const char *data, size_t size) {
  SkList *list = out->list;
  if (out->failed || size == 0) return;
  out->failed = !sk_list_reserve(out->thread, list, (uint64_t)list->length + size);
  if (out->failed) return;
  memcpy((char *)sk_list_data(out->thread->heap, list) + list->length, data, size);
  list->length += (uint32_t)size;
}
static void add_text(SkOutCall *out, const char *text) {
  add(out, text, strlen(text));
}
static void add_number(SkOutCall *out, int64_t number) {
  char text[20];
  size_t at = sizeof text;
  do {
    text[--at] = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  add(out, text + at, sizeof text - at);
}

static const char *reason_of(int64_t status) {
  static const struct {
    int16_t status;
    const char *reason;
  } reasons[] = {
      {100, "Continue"},
      {101, "Switching Protocols"},
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {203, "Non-Authoritative Information"},
      {204, "No Content"},
      {205, "Reset Content"},
      {206, "Partial Content"},
      {300, "Multiple Choices"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {303, "See Other"},
      {304, "Not Modified"},
      {307, "Temporary Redirect"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {402, "Payment Required"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {410, "Gone"},
      {411, "Length Required"},
      {412, "Precondition Failed"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {416, "Range Not Satisfiable"},
      {417, "Expectation Failed"},
      {421, "Misdirected Request"},
      {422, "Unprocessable Content"},
      {426, "Upgrade Required"},
      {428, "Precondition Required"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
  };
  for (size_t i = 0; i < SK_COUNT_OF(reasons); i++) {
    if (reasons[i].status == status) return reasons[i].reason;
  }
  return "";
}

/// "Sun, 06 Nov 1994 08:49:37 GMT", made once for each second and thread. The civil date is Howard
/// Hinnant's days_from_civil turned round: years begin in March.
static const char *date_text(void) {
  static __thread int64_t second = -1;
  static __thread char text[30];
  int64_t now = sk_os_wall_ns() / 1000000000;
  if (now == second) return text;
  second = now;
  static const char days[] = "ThuFriSatSunMonTueWed",
                    months[] = "MarAprMayJunJulAugSepOctNovDecJanFeb";
  int64_t day = now / 86400, clock = now % 86400, since = day + 719468;
  int64_t era = since / 146097, doe = since - era * 146097;
  int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), month = (5 * doy + 2) / 153;
  int64_t date = doy - (153 * month + 2) / 5 + 1, year = yoe + era * 400 + (month >= 10);
  const int64_t numbers[] = {date,         year / 100,      year % 100,
                             clock / 3600, clock / 60 % 60, clock % 60};
  static const uint8_t places[] = {5, 12, 14, 17, 20, 23};
  memcpy(text, "Day, 00 Mon 0000 00:00:00 GMT", sizeof text);
  memcpy(text, days + day % 7 * 3, 3);
  memcpy(text + 8, months + month * 3, 3);
  for (size_t i = 0; i < SK_COUNT_OF(places); i++) {
    text[places[i]] = (char)('0' + numbers[i] / 10);
    text[places[i] + 1] = (char)('0' + numbers[i] % 10);
  }
  return text;
}

/// Fields whose values say where a message ends: they are made here alone.
static bool is_ours(const SkString *name) {
  const uint8_t *text = (const uint8_t *)name->data;
  return is_word(text, name->size_bytes, "content-length") ||
         is_word(text, name->size_bytes, "transfer-encoding") ||
         is_word(text, name->size_bytes, "connection");
}

/// Names and values in turn. A problem, or NULL.
static const char *add_fields(SkOutCall *out, const SkList *fields, bool *has_date,
                              bool *has_host) {
  if (fields->length % 2) return "a field has no value";
  const SkHeap *heap = out->thread->heap;
  for (uint32_t i = 0; i < fields->length; i += 2) {
    const SkRef *refs = (const SkRef *)sk_list_data(heap, fields) + i;
    const SkString *name = sk_gc_at(heap, refs[0]), *value = sk_gc_at(heap, refs[1]);
    if (name->size_bytes == 0) return "a field has no name";
    for (uint32_t k = 0; k < name->size_bytes; k++) {
      if (!is_token((uint8_t)name->data[k]))
        return "the name of a field has a character that it may not have";
    }
    for (uint32_t k = 0; k < value->size_bytes; k++) {
      if (!is_text((uint8_t)value->data[k])) return "the value of a field has a control character";
    }
    if (is_ours(name))
      return "Content-Length, Transfer-Encoding and Connection are set by std.http";
    *has_date |= is_word((const uint8_t *)name->data, name->size_bytes, "date");
    *has_host |= is_word((const uint8_t *)name->data, name->size_bytes, "host");
    add(out, name->data, name->size_bytes);
    add(out, ": ", 2);
    add(out, value->data, value->size_bytes);
    add(out, "\r\n", 2);
  }
  return NULL;
}

/// Content-Length; -1: chunked; -2: neither.
static void add_length(SkOutCall *out, int64_t length) {
  if (length == -1) add_text(out, "Transfer-Encoding: chunked\r\n");
  if (length < 0) return;
  add_text(out, "Content-Length: ");
  add_number(out, length);
  add(out, "\r\n", 2);
}

/// Ends a head that was begun when the list had `size` bytes, or takes it back.
static bool end_head(SkOutCall *out, uint32_t size, const char *problem, SkSlot *result) {
  if (out->failed) return false;
  add(out, "\r\n", 2);
  if (problem) out->list->length = size;
  return !out->failed &&
         sk_give_string(out->thread, result, problem ? problem : "", problem ? strlen(problem) : 0);
}

/// Adds the head of a response. keep: 0 the connection ends, 1 it goes on, 2 it goes on and the
/// client is an old one that must be told.
bool sk_native_http_answer(SkThread *thread, SkList *list, int64_t status, SkList *fields,
                           int64_t length, int64_t keep, SkSlot *result) {
  SkOutCall out = {thread, list, false};
  uint32_t size = list->length;
  bool has_date = status < 200, has_host = false;
  if (status < 100 || status > 999)
    return sk_fault_text(thread, "%lld is no status", (long long)status);
  add_text(&out, "HTTP/1.1 ");
  add_number(&out, status);
  add(&out, " ", 1);
  add_text(&out, reason_of(status));
  add(&out, "\r\n", 2);
  const char *problem = add_fields(&out, fields, &has_date, &has_host);
  if (!has_date) {
    add_text(&out, "Date: ");
    add_text(&out, date_text());
    add(&out, "\r\n", 2);
  }
  add_length(&out, length);
  if (keep != 1) add_text(&out, keep == 0 ? "Connection: close\r\n" : "Connection: keep-alive\r\n");
  return end_head(&out, size, problem, result);
}

/// Adds the head of a request.
bool sk_native_http_ask(SkThread *thread, SkList *list, SkString *method, SkString *target,
                        SkString *host, SkList *fields, int64_t length, SkSlot *result) {
  SkOutCall out = {thread, list, false};
  uint32_t size = list->length;
  bool has_date = true, has_host = false;
  const char *problem = method->size_bytes ? NULL : "the request has no method";
  for (uint32_t i = 0; i < method->size_bytes; i++) {
    if (!is_token((uint8_t)method->data[i]))
      problem = "the method has a character that it may not have";
  }
  if (!is_target((const uint8_t *)method->data, method->size_bytes, (const uint8_t *)target->data,
                 target->size_bytes))
    problem = "the address has a character that must be written as %XX";
  for (uint32_t i = 0; i < host->size_bytes; i++) {
    uint8_t c = (uint8_t)host->data[i];
    if (!is_token(c) && !strchr(":[]", c))
      problem = "the host has a character that it may not have";
  }
  add(&out, method->data, method->size_bytes);
  add(&out, " ", 1);
  add(&out, target->data, target->size_bytes);
  add_text(&out, " HTTP/1.1\r\nHost: ");
  add(&out, host->data, host->size_bytes);
  add(&out, "\r\n", 2);
  const char *bad = add_fields(&out, fields, &has_date, &has_host);
  add_length(&out, length);
  if (!problem) problem = bad ? bad : has_host ? "Host is set by std.http" : NULL;
  return end_head(&out, size, problem, result);
}
