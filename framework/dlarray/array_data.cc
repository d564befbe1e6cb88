#include "framework/dlarray/array_data.h"

#include <cstring>
#include <new>

#include "absl/strings/str_cat.h"
#include "framework/cpu/allocator.h"
#include "framework/dlarray/error.h"

namespace lamina::internal {
namespace {

constexpr int64_t kMaxElements = int64_t{1} << 46;

Error OutOfMemory(size_t bytes) {
  return Error("dlarray:OutOfMemory", "Memory for an array was asked for.",
               absl::StrCat("The system has no ", bytes, " bytes."),
               "Make the batch smaller, or free arrays that are no longer needed.");
}

int64_t CheckedElements(const ArraySpec& spec) {
  int64_t n = 1;
  for (int64_t s : spec.sizes) {
    if (s < 0) {
      throw Error("dlarray:InvalidSize", "Sizes of an array are 0 or more.",
                  absl::StrCat("Sizes ", ToString(spec.sizes), " came."),
                  "Give each dim its size; unknown sizes belong to layouts only.");
    }
    if (s > 0 && n > kMaxElements / s) {
      throw Error("dlarray:InvalidSize", "An array has at most 2^46 elements.",
                  absl::StrCat("Sizes ", ToString(spec.sizes), " came."), "Check the sizes.");
    }
    n *= s;
  }
  return n;
}

// Fills everything but the elements.
ArrayData* New(ArraySpec spec) {
  const int64_t numel = CheckedElements(spec);
  void* memory = cpu::Allocate(sizeof(ArrayData));
  ArrayData* d = new (memory) ArrayData;
  d->numel = numel;
  d->spec = std::move(spec);
  return d;
}

}  // namespace

RefPtr<Storage> Storage::Allocate(size_t bytes) {
  void* header = nullptr;
  try {
    header = cpu::Allocate(sizeof(Storage));
    Storage* s = new (header) Storage;
    s->bytes = bytes;
    s->memory = cpu::Allocate(bytes);
    return RefPtr<Storage>::Adopt(s);
  } catch (const std::bad_alloc&) {
    cpu::Deallocate(header, sizeof(Storage));
    throw OutOfMemory(bytes);
  }
}

void Storage::Destroy(Storage* s) {
  cpu::Deallocate(s->memory, s->bytes);
  s->~Storage();
  cpu::Deallocate(s, sizeof(Storage));
}

RefPtr<ArrayData> ArrayData::MakeAbstract(ArraySpec spec) {
  return RefPtr<ArrayData>::Adopt(New(std::move(spec)));
}

RefPtr<ArrayData> ArrayData::Make(ArraySpec spec) {
  RefPtr<ArrayData> d = MakeAbstract(std::move(spec));
  const size_t bytes = static_cast<size_t>(d->numel) * SizeOf(d->spec.type);
  if (bytes <= sizeof(d->small)) {
    d->is_small = true;
  } else {
    d->storage = Storage::Allocate(bytes);
  }
  return d;
}

RefPtr<ArrayData> ArrayData::MakeRemote(ArraySpec spec,
                                        std::shared_ptr<const RemoteElements> remote) {
  RefPtr<ArrayData> d = MakeAbstract(std::move(spec));
  d->remote = std::move(remote);
  return d;
}

RefPtr<ArrayData> ArrayData::Alias(const ArrayData& other, ArraySpec spec) {
  RefPtr<ArrayData> d = MakeAbstract(std::move(spec));
  LAMINA_CHECK(d->numel == other.numel && SizeOf(d->spec.type) == SizeOf(other.spec.type));
  d->is_small = other.is_small;
  d->storage = other.storage;
  d->remote = other.remote;
  if (d->is_small) std::memcpy(d->small, other.small, sizeof(d->small));
  return d;
}

RefPtr<ArrayData> ArrayData::Unset() {
  static const RefPtr<ArrayData>* const kUnset =
      new RefPtr<ArrayData>(Make(ArraySpec{DataType::kSingle, {0, 0}, {}}));
  return *kUnset;
}

void ArrayData::Destroy(ArrayData* d) {
  d->~ArrayData();
  cpu::Deallocate(d, sizeof(ArrayData));
}

}  // namespace lamina::internal
