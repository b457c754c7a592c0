// Superinstructions are sequences of instructions that the interpreter runs as one; they cover
// what most conditions consist of (Casey, Ertl and Gregg, "Optimizing indirect branch prediction
// accuracy in virtual machine interpreters", 2007). They are chosen when a program is linked. The
// code stays unchanged, and jumps may lead into the middle of a sequence.
#pragma once

#include <cstdint>
#include <vector>

#include "vm/program/program_data.h"

namespace ordain::vm {

// A comparison and what uses its result, after the given instructions. X takes them all.
#define ORDAIN_ENDS(X, ...) X(__VA_ARGS__, ret) X(__VA_ARGS__, jump_if) X(__VA_ARGS__, jump_ifn)
#define ORDAIN_COMPARED(X, ...)          \
  ORDAIN_ENDS(X, __VA_ARGS__, eq_int)    \
  ORDAIN_ENDS(X, __VA_ARGS__, lt_int)    \
  ORDAIN_ENDS(X, __VA_ARGS__, le_int)    \
  ORDAIN_ENDS(X, __VA_ARGS__, eq_double) \
  ORDAIN_ENDS(X, __VA_ARGS__, lt_double) \
  ORDAIN_ENDS(X, __VA_ARGS__, le_double)
#define ORDAIN_CALCULATED(X, ...) \
  X(__VA_ARGS__, add_int)         \
  X(__VA_ARGS__, sub_int)         \
  X(__VA_ARGS__, mul_int)         \
  X(__VA_ARGS__, add_double)      \
  X(__VA_ARGS__, sub_double)      \
  X(__VA_ARGS__, mul_double)

// All superinstructions, in groups, on which Chooser relies. X2, X3 and X4 take the parts.
#define ORDAIN_SUPERINSTRUCTIONS(X2, X3, X4) \
  ORDAIN_COMPARED(X4, load, const_)          \
  ORDAIN_COMPARED(X4, load, load)            \
  ORDAIN_COMPARED(X3, const_)                \
  ORDAIN_COMPARED(X3, load)                  \
  ORDAIN_CALCULATED(X3, load, const_)        \
  ORDAIN_CALCULATED(X2, const_)              \
  ORDAIN_CALCULATED(X2, load)                \
  ORDAIN_ENDS(X2, load)                      \
  ORDAIN_ENDS(X2, has_slot)                  \
  ORDAIN_ENDS(X2, slot_eq)                   \
  ORDAIN_ENDS(X2, slot_in)                   \
  ORDAIN_ENDS(X2, slot_has)                  \
  X2(const_, ret)

/// What the interpreter runs at an instruction: an Op, or a superinstruction that begins there.
enum class Step : uint8_t {
#define X(name, operands, flags, doc) name,
#include "vm/program/opcodes.def"
#undef X
#define X2(a, b) a##Then##b,
#define X3(a, b, c) a##Then##b##Then##c,
#define X4(a, b, c, d) a##Then##b##Then##c##Then##d,
  ORDAIN_SUPERINSTRUCTIONS(X2, X3, X4)
#undef X2
#undef X3
#undef X4
};

/// By index of ProgramData::code. A superinstruction never runs past the end of a predicate.
std::vector<uint8_t> choose_steps(const ProgramData& data);

}  // namespace ordain::vm
