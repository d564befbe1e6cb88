// What stands behind a DlArray: its spec, its elements, and the marks of those who record it.
// Used by ops, tapes and traces; not by layer authors.
//
// An ArrayData is made once and then shared by handles in any number of threads, so it is not
// changed after it was handed out. Elements live in a Storage of their own, since a reshaped or
// relabelled array shares them.
#ifndef FRAMEWORK_DLARRAY_ARRAY_DATA_H_
#define FRAMEWORK_DLARRAY_ARRAY_DATA_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "framework/dlarray/format.h"

namespace lamina::internal {

/// A pointer to an object that counts its owners in itself.
template <class T>
class RefPtr {
 public:
  RefPtr() = default;
  /// Takes over the one count that `p` was made with.
  static RefPtr Adopt(T* p) {
    RefPtr r;
    r.p_ = p;
    return r;
  }
  RefPtr(const RefPtr& o) : p_(o.p_) {
    if (p_) p_->refs.fetch_add(1, std::memory_order_relaxed);
  }
  RefPtr(RefPtr&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  RefPtr& operator=(RefPtr o) noexcept {
    std::swap(p_, o.p_);
    return *this;
  }
  ~RefPtr() {
    if (p_ && p_->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) T::Destroy(p_);
  }
  T* get() const { return p_; }
  T* operator->() const { return p_; }
  T& operator*() const { return *p_; }
  explicit operator bool() const { return p_ != nullptr; }
  bool unique() const { return p_ && p_->refs.load(std::memory_order_acquire) == 1; }

 private:
  T* p_ = nullptr;
};

/// Memory for elements, 64-byte aligned, from the caching allocator.
struct Storage {
  std::atomic<int64_t> refs{1};
  size_t bytes = 0;
  void* memory = nullptr;

  /// Errors: "dlarray:OutOfMemory".
  static RefPtr<Storage> Allocate(size_t bytes);
  static void Destroy(Storage* s);
};

/// Elements that are not in the memory of this machine's processors: those of an array on a device
/// (framework/gpu), which no floor below needs to know.
class RemoteElements {
 public:
  virtual ~RemoteElements() = default;
  /// For a reader: "NVIDIA H200".
  virtual std::string DeviceName() const = 0;
  /// The same for all elements on one device, and for no others.
  virtual const void* Device() const = 0;
  /// Copies the elements to memory here, when all that they depend on is computed.
  virtual void CopyTo(void* memory, size_t bytes) const = 0;
};

/// A number that a recorder (a tape, a trace) gave to an array. `owner` is 0 for none; recorders
/// have numbers of their own which are never used again, so a stale mark does no harm.
struct Mark {
  uint64_t owner = 0;
  int32_t index = -1;
};

struct ArrayData {
  std::atomic<int64_t> refs{1};
  int64_t numel = 0;
  ArraySpec spec;
  RefPtr<Storage> storage;  ///< Null without values, and when the elements are in `small`.
  bool is_small = false;
  /// The elements of an array on a device, which has no others. It counts as one without values to
  /// all who read values here.
  std::shared_ptr<const RemoteElements> remote;
  Mark tape_mark;
  Mark trace_mark;
  alignas(16) std::byte small[16];  ///< Scalars live here, without a Storage.

  bool has_values() const { return is_small || storage; }
  const void* bytes() const {
    return is_small ? static_cast<const void*>(small) : storage ? storage->memory : nullptr;
  }
  /// Only while the array is being made.
  void* mutable_bytes() {
    return is_small ? static_cast<void*>(small) : storage ? storage->memory : nullptr;
  }

  /// With room for the elements, not initialised. Errors: "dlarray:OutOfMemory",
  /// "dlarray:InvalidSize" when the sizes' product is no possible size.
  static RefPtr<ArrayData> Make(ArraySpec spec);
  /// Without values.
  static RefPtr<ArrayData> MakeAbstract(ArraySpec spec);
  /// With elements on a device.
  static RefPtr<ArrayData> MakeRemote(ArraySpec spec, std::shared_ptr<const RemoteElements> remote);
  /// The elements of `other` under another spec of as many elements; no marks.
  static RefPtr<ArrayData> Alias(const ArrayData& other, ArraySpec spec);
  /// The unset array, one for all.
  static RefPtr<ArrayData> Unset();
  static void Destroy(ArrayData* d);
};

using ArrayDataPtr = RefPtr<ArrayData>;

}  // namespace lamina::internal

#endif  // FRAMEWORK_DLARRAY_ARRAY_DATA_H_
