// What the public interface tells of a VM's heap: counters, and what lives in it by type.
#include <stdlib.h>

#include "skerry/skerry.h"
#include "vm/api.h"
#include "vm/vm.h"

SkerryHeapStats skerry_vm_heap_stats(const SkerryVM *vm) {
  SkHeapStats stats = sk_heap_stats(vm->vm->thread.heap);
  return (SkerryHeapStats){
      .used_bytes = stats.used_bytes,
      .live_bytes = stats.live_bytes,
      .peak_bytes = stats.peak_bytes,
      .limit_bytes = stats.limit_bytes,
      .external_bytes = stats.external_bytes,
      .allocated_bytes = stats.allocated_bytes,
      .collections = stats.collections,
      .minor_collections = stats.minor_collections,
      .pause_total_ns = stats.pause_total_ns,
      .pause_max_ns = stats.pause_max_ns,
  };
}

void skerry_vm_trim(SkerryVM *vm) {
  sk_heap_trim(vm->vm->thread.heap);
}

typedef struct {
  SkerryHeapType *rows;  // by type index
  uint32_t count;
} Histogram;

static void count_object(void *context, const SkObject *object, size_t size) {
  Histogram *histogram = context;
  if (object->type >= histogram->count) return;
  histogram->rows[object->type].objects++;
  histogram->rows[object->type].bytes += size;
}

static int compare_rows(const void *a, const void *b) {
  const SkerryHeapType *x = a, *y = b;
  if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
  return strcmp(x->type, y->type);
}

/// Type indices may share a name (the cases of an enum do not, copies of a generic's array may):
/// one row for each name.
static size_t merge_rows(SkerryHeapType *rows, size_t count) {
  size_t kept = 0;
  for (size_t i = 0; i < count; i++) {
    if (rows[i].objects == 0) continue;
    size_t at = 0;
    while (at < kept && strcmp(rows[at].type, rows[i].type) != 0) at++;
    if (at == kept) {
      rows[kept++] = rows[i];
    } else {
      rows[at].objects += rows[i].objects;
      rows[at].bytes += rows[i].bytes;
    }
  }
  return kept;
}

SkerryStatus skerry_vm_heap_types(SkerryVM *vm, SkerryHeapType **out, size_t *count) {
  const SkImage *image = vm->vm->thread.image;
  Histogram histogram = {sk_calloc(image->type_count, sizeof *histogram.rows), image->type_count};
  *out = NULL;
  *count = 0;
  if (!histogram.rows) return SKERRY_NO_MEMORY;
  for (uint32_t i = 0; i < image->type_count; i++) {
    const char *name = image->types[i].name.data;
    histogram.rows[i].type = name && *name ? name : "(data)";
  }
  sk_heap_visit(vm->vm->thread.heap, count_object, &histogram);
  *count = merge_rows(histogram.rows, image->type_count);
  qsort(histogram.rows, *count, sizeof *histogram.rows, compare_rows);
  *out = histogram.rows;
  return SKERRY_OK;
}

void skerry_heap_types_free(SkerryHeapType *types) {
  sk_free(types);
}

SkerryText skerry_vm_heap_report(SkerryVM *vm) {
  SkBuf text = {0};
  SkerryHeapType *rows;
  size_t count;
  if (skerry_vm_heap_types(vm, &rows, &count) != SKERRY_OK) return (SkerryText){0};
  SkerryHeapStats stats = skerry_vm_heap_stats(vm);
  sk_buf_printf(&text,
                "heap: %zu KiB live, %zu KiB taken, %zu KiB at most, limit %zu KiB; "
                "%llu KiB allocated, %u collections (%u minor), longest pause %.3f ms\n",
                stats.live_bytes / 1024, stats.used_bytes / 1024, stats.peak_bytes / 1024,
                stats.limit_bytes / 1024, (unsigned long long)(stats.allocated_bytes / 1024),
                stats.collections, stats.minor_collections, (double)stats.pause_max_ns / 1e6);
  sk_buf_printf(&text, "%12s %12s  %s\n", "objects", "bytes", "type");
  for (size_t i = 0; i < count; i++)
    sk_buf_printf(&text, "%12zu %12zu  %s\n", rows[i].objects, rows[i].bytes, rows[i].type);
  skerry_heap_types_free(rows);
  return sk_api_text(&text);
}
