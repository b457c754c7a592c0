// ProgramData: the tables and the code of a Program. Plain data: `emit` fills it, the verifier checks it, engines read it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ordain/arena.h"
#include "ordain/program.h"

namespace ordain {

enum class Op : uint16_t {
#define X(name, operands, flags, doc) name,
#include "vm/opcodes.def"
#undef X
};

/// 12 bytes. What a, b and c mean is in opcodes.def.
struct Insn {
  Op op;
  uint16_t a = 0;
  uint32_t b = 0;
  uint32_t c = 0;
};
static_assert(sizeof(Insn) == 12);

/// What a register holds: a Kind, or one of these.
inline constexpr uint8_t kAnyKind = 0x40;      ///< a present value of any kind
inline constexpr uint8_t kBuilderKind = 0x41;  ///< a list or map under construction

struct Range {
  uint32_t first = 0;
  uint32_t count = 0;
};

/// A fault at an instruction in [begin, end) (relative to the predicate) goes on at `target`. Innermost first.
struct Handler {
  uint32_t begin, end, target;
};

/// Where the instruction at `pc` (relative to the predicate) stands in policy text, if it may fault. Sorted by pc.
struct InsnLocation {
  uint32_t pc, location;
};

/// One expression, compiled: a rule's condition, its `because`, ...
struct Predicate {
  Range code;           ///< of ProgramData::code
  Range registers;      ///< of ProgramData::register_kinds
  Range handlers;       ///< of ProgramData::handlers
  Range locations;      ///< of ProgramData::insn_locations
  uint32_t saved_faults = 0;
  uint8_t result = kAnyKind;
};

struct Import {
  std::string name;      ///< function
  std::string overload;  ///< id, or "" to choose by the arguments' kinds
  uint32_t args = 0;
};

/// An import whose constant argument is prepared at link time.
struct Prepared {
  uint32_t import = 0;
  uint32_t constant = 0;
};

/// A rule as it applies to one capability (or to all that it is the same for). kNone: not given.
struct RuleCode {
  RuleId rule = 0;
  uint32_t condition = kNone;     ///< predicate of kind bool; kNone: always true
  uint32_t because = kNone;       ///< predicate of kind string
  uint32_t because_text = kNone;  ///< constant, where `because` is one
  uint32_t from = kNone;          ///< predicate: string or list of strings
  uint32_t expires = kNone;       ///< predicate: duration
  uint32_t with = kNone;          ///< predicate: any
  uint32_t target_set = kNone;    ///< index into target_sets; only among the rules for undeclared capabilities
};

/// The rules of one package for one capability and stage. Ranges of `ProgramData::plan`, in source order.
struct PackagePlan {
  uint32_t package = 0;
  uint32_t first_match = 0;  ///< 1: `option order = first_match`: the first match of `answers` is the package's answer
  Range deny, require_approval, allow;
  Range answers;      ///< all three kinds in source order; only if first_match
  Range obligations;  ///< redact and warn
};

/// What one capability's calls are decided by.
struct CapabilityPlan {
  Range packages[2];  ///< of ProgramData::package_plans, by stage
};

struct PackageInfo {
  std::string name;
  Digest digest{};  ///< of the package's text, in a canonical form
};

struct ProgramData {
  Arena memory{4096};                 ///< owns types, and constants' strings, lists and maps
  std::vector<std::string> files;     ///< paths as given
  std::vector<Location> locations;
  Schema schema;
  std::vector<std::string> symbols;   ///< string of symbol i + 1
  std::vector<std::vector<SymbolId>> symbol_sets;  ///< sorted
  std::vector<Value> constants;
  std::vector<Import> imports;
  std::vector<Prepared> prepared;

  std::vector<Insn> code;
  std::vector<uint8_t> register_kinds;
  std::vector<Handler> handlers;
  std::vector<InsnLocation> insn_locations;
  std::vector<Predicate> predicates;

  std::vector<PackageInfo> packages;
  std::vector<RuleInfo> rules;
  std::vector<RuleCode> rule_codes;
  std::vector<GlobSet> target_sets;
  std::vector<uint32_t> plan;                  ///< indexes into rule_codes
  std::vector<PackagePlan> package_plans;
  std::vector<CapabilityPlan> capability_plans;  ///< by capability; one more at the end, for undeclared ones
};

/// What an instruction is, for the verifier, the disassembler and the documentation.
struct OpInfo {
  const char* name;
  const char* operands;
  const char* flags;
  const char* doc;
};
const OpInfo& op_info(Op op);
inline constexpr uint16_t kOpCount = 0
#define X(name, operands, flags, doc) +1
#include "vm/opcodes.def"
#undef X
    ;

}  // namespace ordain
