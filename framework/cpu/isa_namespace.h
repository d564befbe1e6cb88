#ifndef FRAMEWORK_CPU_ISA_NAMESPACE_H_
#define FRAMEWORK_CPU_ISA_NAMESPACE_H_

// A translation unit that is compiled for a wider instruction set must not share inline functions
// with the rest of the program: the linker keeps one of the copies, perhaps the one that an older
// machine cannot run. So the headers that such units use put their functions into the inline
// namespace LAMINA_ISA, which multi_isa.bzl sets to v2, v3 or v4 and which is `portable` elsewhere,
// and these units use no inline function of the standard library.

#ifndef LAMINA_ISA
#define LAMINA_ISA portable
#endif

// Opened here once, so that the tables of all levels can be declared in any order afterwards.
namespace lamina::cpu {
inline namespace LAMINA_ISA {}
}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_ISA_NAMESPACE_H_
