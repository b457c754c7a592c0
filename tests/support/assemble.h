// Assembler builds ProgramData by hand, for tests of the verifier, the engines and decide.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ordain/decide.h"
#include "vm/program/program_data.h"
#include "vm/program/register_kinds.h"

namespace ordain::test {

using namespace vm::kinds;

/// Builds one program. Predicates are written one after the other: `begin`, then `reg` and `emit`.
class Assembler {
 public:
  ProgramData data;

  SlotId slot(std::string path, const Type* type, Slot like = {}) {
    like.path = std::move(path);
    like.type = type;
    like.index = data.schema.slot_count[static_cast<size_t>(like.bank)]++;
    if (!like.member_symbols.empty()) {
      uint32_t& words = data.schema.bit_words[static_cast<size_t>(like.bank)];
      like.first_bit = 64 * words;
      words += static_cast<uint32_t>((like.member_symbols.size() + 63) / 64);
    }
    data.schema.slots.push_back(like);
    return static_cast<SlotId>(data.schema.slots.size() - 1);
  }
  /// Adds a slot of the host that a call leaves empty.
  SlotId host_slot(std::string path, const Type* type) {
    Slot like;
    like.host = true;
    return slot(std::move(path), type, like);
  }
  SymbolId symbol(std::string_view text) {
    data.symbols.push_back(data.memory.copy(text));
    return static_cast<SymbolId>(data.symbols.size());
  }
  uint32_t constant(const Value& value) {
    data.constants.push_back(copy_value(data.memory, value));
    return static_cast<uint32_t>(data.constants.size() - 1);
  }
  uint32_t import(std::string name, std::string overload, uint32_t args) {
    data.imports.push_back({std::move(name), std::move(overload), args});
    return static_cast<uint32_t>(data.imports.size() - 1);
  }
  uint32_t location(uint32_t line, uint32_t column = 1) {
    if (data.files.empty()) data.files.push_back("test.policy");
    data.locations.push_back({0, line, column});
    return static_cast<uint32_t>(data.locations.size() - 1);
  }

  uint32_t begin(uint8_t result = kAnyKind) {
    Predicate p;
    p.code.first = static_cast<uint32_t>(data.code.size());
    p.registers.first = static_cast<uint32_t>(data.register_kinds.size());
    p.handlers.first = static_cast<uint32_t>(data.handlers.size());
    p.locations.first = static_cast<uint32_t>(data.insn_locations.size());
    p.result = result;
    data.predicates.push_back(p);
    return static_cast<uint32_t>(data.predicates.size() - 1);
  }
  uint16_t reg(uint8_t kind) {
    data.register_kinds.push_back(kind);
    return static_cast<uint16_t>(now().registers.count++);
  }
  /// @returns the instruction's pc. `line`: adds a location with this line.
  uint32_t emit(Op op, uint32_t a = 0, uint32_t b = 0, uint32_t c = 0, uint32_t line = 0) {
    const uint32_t pc = now().code.count++;
    data.code.push_back({op, static_cast<uint16_t>(a), b, c});
    if (line != 0) {
      data.insn_locations.push_back({pc, location(line)});
      ++now().locations.count;
    }
    return pc;
  }
  uint32_t pc() { return now().code.count; }
  /// Makes the jump at `at` lead to the next instruction.
  void land(uint32_t at) { data.code[now().code.first + at].b = pc(); }
  void handler(uint32_t begin, uint32_t end, uint32_t target) {
    data.handlers.push_back({begin, end, target});
    ++now().handlers.count;
  }
  uint32_t saved() { return now().saved_faults++; }
  Insn& insn(uint32_t pc) { return data.code[now().code.first + pc]; }
  Predicate& now() { return data.predicates.back(); }

  // --- whole predicates
  uint16_t load_constant(const Value& value) {
    const uint16_t r = reg(static_cast<uint8_t>(value.kind));
    emit(Op::const_, r, constant(value));
    return r;
  }
  uint32_t returns(const Value& value) {
    const uint32_t p = begin(static_cast<uint8_t>(value.kind));
    emit(Op::ret, load_constant(value));
    return p;
  }
  uint32_t faults(FaultCode code, uint8_t result = kBool, uint32_t line = 0) {
    const uint32_t p = begin(result);
    emit(Op::fail, static_cast<uint32_t>(code), kNone, 0, line);
    return p;
  }
  /// Adds a predicate that returns the value of a slot.
  uint32_t reads(SlotId slot, uint8_t kind, uint32_t line = 0) {
    const uint32_t p = begin(kind);
    const uint16_t r = reg(kind);
    emit(Op::load, r, slot, 0, line);
    emit(Op::ret, r);
    return p;
  }

  // --- rules
  uint32_t package(std::string name, bool first_match = false) {
    data.packages.push_back({.name = std::move(name)});
    first_match_.push_back(first_match);
    return static_cast<uint32_t>(data.packages.size() - 1);
  }
  CapabilityId capability(std::string name) {
    Capability capability;
    capability.name = std::move(name);
    capability.declared = true;
    data.schema.capabilities.push_back(capability);
    return static_cast<CapabilityId>(data.schema.capabilities.size() - 1);
  }
  /// Adds a rule of `package` for every capability that `finish` knows. @returns its number.
  RuleId rule(uint32_t package, RuleKind kind, RuleCode code = {}, Stage stage = Stage::before) {
    RuleInfo info;
    code.rule = static_cast<RuleId>(data.rules.size());
    info.name = "p." + std::string(to_string(kind)) + "#" + std::to_string(code.rule);
    info.policy = "p";
    info.package = data.packages[package].name;
    info.kind = kind;
    info.stage = stage;
    if (kind == RuleKind::redact) info.redact_path = "output.secret";
    data.rules.push_back(info);
    data.rule_codes.push_back(code);
    rule_packages_.push_back(package);
    return code.rule;
  }
  /// Completes the program: rules without a target set apply to every capability, the others to
  /// undeclared capabilities.
  void finish() {
    const size_t capabilities = data.schema.capabilities.size();
    for (size_t i = 0; i <= capabilities; ++i) {
      CapabilityRules plan;
      for (const size_t stage : {0u, 1u}) {
        plan.packages[stage].first = static_cast<uint32_t>(data.package_rules.size());
        for (uint32_t package = 0; package < data.packages.size(); ++package) {
          data.package_rules.push_back(plan_of(package, static_cast<Stage>(stage), i == capabilities));
          ++plan.packages[stage].count;
        }
      }
      data.capability_rules.push_back(plan);
    }
  }

 private:
  PackageRules plan_of(uint32_t package, Stage stage, bool undeclared) {
    PackageRules plan;
    plan.package = package;
    plan.first_match = first_match_[package];
    for (const RuleListInfo& list : kRuleLists) {
      if (!list.is_used(plan.first_match != 0)) continue;
      Range range{static_cast<uint32_t>(data.rule_list.size()), 0};
      for (uint32_t i = 0; i < data.rule_codes.size(); ++i) {
        const RuleCode& code = data.rule_codes[i];
        const RuleInfo& info = data.rules[code.rule];
        if (rule_packages_[code.rule] != package || info.stage != stage) continue;
        if ((code.target_set != kNone) != undeclared || !list.holds(info.kind)) continue;
        data.rule_list.push_back(i);
        data.index_notes.push_back(IndexNote::few_rules);
        ++range.count;
      }
      plan.*list.member = {range, {}};
    }
    return plan;
  }

  std::vector<bool> first_match_;
  std::vector<uint32_t> rule_packages_;
};

/// A program and the facts of one call, ready to evaluate or decide.
struct Fixture {
  std::shared_ptr<const Program> program;
  Context context;
  Call call;
  Scratch scratch;
  Value value;
  Fault fault;

  explicit Fixture(const std::shared_ptr<const Program>& linked, std::string_view capability = "act",
                   Stage stage = Stage::before, size_t scratch_bytes = 4 << 20)
      : program(linked), context(linked), call(linked), scratch(scratch_bytes) {
    call.begin(linked->resolve(capability), stage);
  }
  bool evaluate(uint32_t predicate = 0, const DecideOptions& options = {}) {
    return ordain::evaluate(*program, predicate, call, context, scratch, options, &value, &fault);
  }
};

}  // namespace ordain::test
