// Stands before kernels that are compiled to a library of their own: what the loader finds in it
// (LAMINA_KERNEL, LAMINA_LIBRARY), and what the compiler calls where it watches memory. With
// -fsanitize=thread it tells each access before it is made, with -fsanitize=alignment,bounds each
// that has no right address; nothing of those sanitizers' own libraries is linked.
#ifndef EMULATED_KERNEL_LIBRARY_H_
#define EMULATED_KERNEL_LIBRARY_H_

#include <utility>

#include "device_functions.h"

namespace emulator {

inline thread_local char first_shared_byte = 0;
EMULATOR_UNWATCHED inline void TakeSharedMemory() {
  *const_cast<volatile char*>(&first_shared_byte) = 0;
}

template <class... P>
struct ArgumentsOf {
  static constexpr size_t kBytes[] = {sizeof(P)..., 0};
};
template <class... P>
constexpr size_t NumArguments(void (*)(P...)) {
  return sizeof...(P);
}
template <class... P>
constexpr const size_t* ArgumentBytes(void (*)(P...)) {
  return ArgumentsOf<P...>::kBytes;
}
template <class... P, size_t... I>
EMULATOR_UNWATCHED void CallWith(void (*kernel)(P...), void* const* arguments,
                                 std::index_sequence<I...>) {
  (void)arguments;
  kernel(*static_cast<P*>(arguments[I])...);
}
template <class... P>
EMULATOR_UNWATCHED void Call(void (*kernel)(P...), void* const* arguments) {
  CallWith(kernel, arguments, std::index_sequence_for<P...>());
}

// What -fsanitize hands over (GCC's libsanitizer, ubsan_value.h and ubsan_handlers.h).
struct SourceLocation {
  const char* file;
  unsigned line, column;
};
struct TypeDescriptor {
  unsigned short kind, info;
  char name[1];
};
struct MismatchData {
  SourceLocation location;
  const TypeDescriptor* type;
  unsigned char log_alignment, kind;
};
struct OutOfBoundsData {
  SourceLocation location;
  const TypeDescriptor *array_type, *index_type;
};

}  // namespace emulator

#define LAMINA_EXPORTED extern "C" __attribute__((visibility("default"), used))
#define LAMINA_KERNEL(symbol, ...)                                                         \
  LAMINA_EXPORTED const emulator::KernelEntry symbol;                                      \
  EMULATOR_UNWATCHED static void Call_##symbol(void* const* arguments) {                   \
    emulator::Call(__VA_ARGS__, arguments);                                                \
  }                                                                                        \
  const emulator::KernelEntry symbol = {#__VA_ARGS__, emulator::NumArguments(__VA_ARGS__), \
                                        emulator::ArgumentBytes(__VA_ARGS__), Call_##symbol};
#define LAMINA_LIBRARY(most_blocks)                                                    \
  LAMINA_EXPORTED const emulator::LibraryEntry lamina_library;                         \
  const emulator::LibraryEntry lamina_library = {&emulator::machine, &emulator::place, \
                                                 emulator::TakeSharedMemory, most_blocks};

extern "C" {

#define EMULATOR_HOOK EMULATOR_UNWATCHED __attribute__((used)) inline
#define EMULATOR_TELL(bytes, kind)                                       \
  if (emulator::machine != nullptr) {                                    \
    emulator::machine->Access(memory, bytes, emulator::AccessKind::kind, \
                              __builtin_return_address(0));              \
  }
#define EMULATOR_ACCESS(bytes)                                                            \
  EMULATOR_HOOK void __tsan_read##bytes(void* memory){                                    \
      EMULATOR_TELL(bytes, kRead)} EMULATOR_HOOK void __tsan_write##bytes(void* memory) { \
    EMULATOR_TELL(bytes, kWrite)                                                          \
  }
EMULATOR_ACCESS(1)
EMULATOR_ACCESS(2)
EMULATOR_ACCESS(4)
EMULATOR_ACCESS(8)
EMULATOR_ACCESS(16)
EMULATOR_HOOK void __tsan_read_range(void* memory,
                                     size_t bytes){EMULATOR_TELL(bytes, kRead)} EMULATOR_HOOK
    void __tsan_write_range(void* memory, size_t bytes){EMULATOR_TELL(bytes, kWrite)} EMULATOR_HOOK
    void __tsan_func_entry(void*) {}
EMULATOR_HOOK void __tsan_func_exit() {}
EMULATOR_HOOK void __tsan_init() {}

EMULATOR_HOOK void __ubsan_handle_type_mismatch_v1(emulator::MismatchData* data, void* memory) {
  emulator::machine->Misaligned(memory, size_t{1} << data->log_alignment, data->location.line);
}
EMULATOR_HOOK void __ubsan_handle_out_of_bounds(emulator::OutOfBoundsData* data, void* index) {
  emulator::machine->OutsideOfArray(data->array_type->name, reinterpret_cast<int64_t>(index),
                                    data->location.line);
}

}  // extern "C"

#endif  // EMULATED_KERNEL_LIBRARY_H_
