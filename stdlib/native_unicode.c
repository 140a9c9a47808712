// Natives of std.unicode, on utf8proc. Its decompositions go through a buffer that counts against
// the guest's limit.
#include <utf8proc.h>

#include "base/utf8.h"
#include "stdlib/natives.h"

/// As in unicode.sk: the cases of Form, then case folding.
enum { NFC, NFD, NFKC, NFKD, FOLD, FORM_COUNT };

static const utf8proc_option_t options_of[FORM_COUNT] = {
    [NFC] = UTF8PROC_STABLE | UTF8PROC_COMPOSE,
    [NFD] = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE,
    [NFKC] = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT,
    [NFKD] = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT,
    [FOLD] = UTF8PROC_STABLE | UTF8PROC_CASEFOLD,
};

static bool is_ascii(const SkString *text) {
  uint8_t all = 0;
  for (uint32_t i = 0; i < text->size_bytes; i++) all |= (uint8_t)text->data[i];
  return all < 0x80;
}

bool sk_native_unicode_map(SkThread *thread, SkString *text, int64_t form, SkSlot *result) {
  if (form < 0 || form >= FORM_COUNT)
    return sk_fault_text(thread, "there is no form %lld", (long long)form);
  if (form != FOLD && is_ascii(text)) {
    result->u = sk_gc_ref(thread->heap, text).bits;
    return true;
  }
  const utf8proc_uint8_t *from = (const utf8proc_uint8_t *)text->data;
  utf8proc_ssize_t size = text->size_bytes;
  utf8proc_option_t options = options_of[form];
  utf8proc_ssize_t count = utf8proc_decompose(from, size, NULL, 0, options);
  if (count < 0) return sk_fault_text(thread, "%s", utf8proc_errmsg(count));
  if (!sk_native_charge(thread, (uint64_t)count * 4)) return false;
  // reencode puts a NUL behind its result
  utf8proc_int32_t *codes =
      sk_outside_alloc(thread, ((size_t)count + 1) * sizeof(utf8proc_int32_t));
  if (!codes) return sk_fault_memory(thread);
  utf8proc_decompose(from, size, codes, count, options);
  utf8proc_ssize_t bytes = utf8proc_reencode(codes, count, options);
  bool fine = sk_give_string(thread, result, (const char *)codes, (size_t)bytes);
  sk_outside_free(thread, codes);
  return fine;
}

// ---- grapheme clusters --------------------------------------------------------------------------

/// Where the cluster that starts at `at` ends.
static uint32_t cluster_end(const SkString *text, uint32_t at) {
  uint32_t code, next;
  utf8proc_int32_t state = 0;
  at += (uint32_t)sk_utf8_decode(text->data + at, text->size_bytes - at, &code);
  while (at < text->size_bytes) {
    uint32_t size = (uint32_t)sk_utf8_decode(text->data + at, text->size_bytes - at, &next);
    if (utf8proc_grapheme_break_stateful((utf8proc_int32_t)code, (utf8proc_int32_t)next, &state))
      break;
    at += size;
    code = next;
  }
  return at;
}

bool sk_native_unicode_graphemes(SkThread *thread, SkString *text, SkSlot *result) {
  SK_HANDLES(scope, thread->heap);
  SkStrings list;
  if (!sk_strings_open(&list, thread, result)) return false;
  for (uint32_t at = 0; at < text->size_bytes;) {
    uint32_t end = cluster_end(text, at);
    if (!sk_strings_add(&list, text->data + at, end - at)) return false;
    at = end;
  }
  return true;
}

bool sk_native_unicode_grapheme_end(SkThread *thread, SkString *text, int64_t at, SkSlot *result) {
  if (at < 0 || at >= text->size_bytes || !sk_utf8_is_boundary(text->data[at]))
    return sk_fault_text(thread, "byte %lld is not the start of a character", (long long)at);
  result->i = cluster_end(text, (uint32_t)at);
  return sk_native_charge(thread, (uint64_t)(result->i - at));
}

bool sk_native_unicode_grapheme_count(SkThread *thread, SkString *text, SkSlot *result) {
  (void)thread;
  for (uint32_t at = 0; at < text->size_bytes; at = cluster_end(text, at)) result->i++;
  return true;
}

static bool is_regional(uint32_t code) {
  return code >= 0x1F1E6 && code <= 0x1F1FF;
}

/// Columns of a terminal that one cluster takes: as many as its widest character; two for flags and
/// for what is asked to be shown as a picture.
static int cluster_width(const SkString *text, uint32_t at, uint32_t end) {
  int widest = 0;
  uint32_t regional = 0;
  while (at < end) {
    uint32_t code;
    at += (uint32_t)sk_utf8_decode(text->data + at, end - at, &code);
    int width = code == 0xFE0F ? 2 : utf8proc_charwidth((utf8proc_int32_t)code);
    regional += is_regional(code);
    if (width > widest) widest = width;
  }
  return regional == 2 ? 2 : widest;
}

bool sk_native_unicode_width(SkThread *thread, SkString *text, SkSlot *result) {
  (void)thread;
  for (uint32_t at = 0; at < text->size_bytes;) {
    uint32_t end = cluster_end(text, at);
    result->i += cluster_width(text, at, end);
    at = end;
  }
  return true;
}

// ---- characters ---------------------------------------------------------------------------------

static utf8proc_int32_t code_of(int64_t code) {
  return code < 0 || code > 0x10FFFF ? -1 : (utf8proc_int32_t)code;
}

bool sk_native_unicode_category(SkThread *thread, int64_t code, SkSlot *result) {
  (void)thread;
  result->i = utf8proc_category(code_of(code));
  return true;
}

bool sk_native_unicode_case_of(SkThread *thread, int64_t code, int64_t which, SkSlot *result) {
  (void)thread;
  utf8proc_int32_t c = code_of(code);
  result->i = c < 0        ? code
              : which == 0 ? utf8proc_toupper(c)
              : which == 1 ? utf8proc_tolower(c)
                           : utf8proc_totitle(c);
  return true;
}

bool sk_native_unicode_version(SkThread *thread, SkSlot *result) {
  const char *version = utf8proc_unicode_version();
  return sk_give_string(thread, result, version, strlen(version));
}
