// The verifier. Engines run what it accepts without checks. Each function returns "" or what is
// wrong.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/utf8.h"
#include "vm/program/link_tables.h"
#include "vm/program/program_data.h"
#include "vm/value/private_api.h"

namespace ordain::vm {

/// Limits that keep verifying and running fast for any program.
inline constexpr uint32_t kMaxNesting = 256;         ///< levels of types, records and constants
inline constexpr uint32_t kMaxTypeSize = 100'000;    ///< the size of a type when written out
inline constexpr uint32_t kMaxArguments = 255;       ///< arguments of an import
inline constexpr uint32_t kMaxFlowWords = 4u << 20;  ///< in a predicate: blocks times words of register bits
inline constexpr uint64_t kMaxFlowWork = 64u << 20;  ///< in a predicate: words and instructions visited

/// Whether a range lies inside a table of `size` entries.
inline bool inside(Range range, size_t size) { return range.first <= size && range.count <= size - range.first; }

/// Verifies names, strings, types, slots, records, constants, symbol sets and numbers of imports.
std::string verify_tables(const ProgramData& data);
/// Verifies rules, packages and indexes. The tables must be verified before.
std::string verify_rules(const ProgramData& data);
/// Verifies predicates. The tables must be verified and the imports resolved before.
std::string verify_code(const ProgramData& data, const LinkTables& link);

/// Verifies what the program remembers between calls. Everything else must be verified before.
std::string verify_history(const ProgramData& data);

/// Verifies one predicate whose operands are valid: registers are assigned before they are read,
/// and every loop ends.
/// @returns "" or what is wrong, beginning with the place: "pc 3: register r1 may not be assigned".
std::string verify_flow(const ProgramData& data, const Predicate& predicate);

/// One operand of an instruction, as written in opcodes.def.
struct Operand {
  char kind = '-';
  bool writes = false;
};

/// The row of an instruction in opcodes.def, parsed.
struct Shape {
  std::array<Operand, 3> operands;
  bool faults = false;
};

constexpr Shape read_shape(std::string_view operands, std::string_view flags) {
  Shape out;
  size_t which = 0;
  for (const char c : operands) {
    if (c == '=') {
      out.operands[which].writes = true;
    } else if (c == ' ') {
      ++which;
    } else {
      out.operands[which].kind = c;
    }
  }
  out.faults = flags.find('F') != std::string_view::npos;
  return out;
}

inline constexpr Shape kShapes[] = {
#define X(name, operands, flags, doc) read_shape(operands, flags),
#include "vm/program/opcodes.def"
#undef X
};

/// Returns operand `which` (0, 1 or 2) of an instruction.
inline Operand operand(Op op, int which) {
  return kShapes[static_cast<uint16_t>(op)].operands[static_cast<size_t>(which)];
}
inline uint32_t operand_value(const Insn& insn, int which) {
  return which == 0 ? insn.a : which == 1 ? insn.b : insn.c;
}
inline bool is_register(char operand) {
  return operand == '*' || operand == '#' || operand == '@' || (operand >= 'a' && operand <= 'z') || operand == 'L' ||
         operand == 'M' || operand == 'O' || operand == 'T';
}
/// True if control may go to the instruction in operand b.
inline bool jumps(Op op) { return kShapes[static_cast<uint16_t>(op)].operands[1].kind == 'J'; }
inline bool may_fault(Op op) { return kShapes[static_cast<uint16_t>(op)].faults; }
/// True if control never continues at the next instruction.
inline bool never_falls_through(Op op) {
  return op == Op::jump || op == Op::ret || op == Op::raise_first || op == Op::fail || op == Op::remember_fault;
}
/// Returns the number of argument registers of a call instruction, and 0 for others.
uint32_t argument_count(const ProgramData& data, const Insn& insn);
/// Returns, for each instruction of the predicate, the handler that its fault goes to (the
/// handler's number within the predicate), or kNone.
ORDAIN_PRIVATE_API std::vector<uint32_t> handler_map(const ProgramData& data, const Predicate& predicate);

}  // namespace ordain::vm
