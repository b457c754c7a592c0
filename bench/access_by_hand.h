// access_by_hand implements the access family as a good C++ engineer would write it for one
// program: a table of denials by department, and a hash map from (role, resource type, department)
// to the permitted actions. It reads the same filled Call, makes the same checks, and returns the
// same Decision.
#pragma once

#include <algorithm>
#include <bit>
#include <climits>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/families.h"
#include "ordain/decide.h"

namespace ordain::bench {

class AccessByHand {
 public:
  AccessByHand(const Program& program, size_t rules, uint64_t seed) : program_(program) {
    const Schema& schema = program.schema();
    const Capability* access = schema.find_capability("access");
    const auto index = [&](const Capability* of, const char* path) {
      return schema.slots[program.slot(of, path).id].index;
    };
    action_ = index(access, "input.action"), sensitivity_ = index(access, "input.sensitivity");
    type_ = index(nullptr, "resource.type"), department_ = index(nullptr, "agent.department");
    roles_ = &schema.slots[program.slot(nullptr, "agent.roles").id];
    add_rules(rules, seed);
  }

  Decision decide(const Call& call, const Context& context) const {
    if (call.error().failed) return refused(DecisionCode::invalid_input, call.error().message);
    if (context.error().failed) return refused(DecisionCode::invalid_input, context.error().message);
    const Value* values = call.slots().values.data();
    if (!values[sensitivity_].present() || !values[action_].present()) {
      return refused(DecisionCode::evaluation_error, "no_such_field");
    }
    const int64_t sensitivity = values[sensitivity_].i;
    if (!context.slots().values[department_].present()) {
      return sensitivity > least_limit_ ? refused(DecisionCode::missing_context, "missing_context") : default_answer();
    }
    const SymbolId department = context.slots().symbols[department_];
    if (department < denials_.size() && sensitivity > denials_[department].limit) {
      return answer(Effect::deny, denials_[department].rule);
    }
    const SymbolId action = call.slots().symbols[action_], type = call.slots().symbols[type_];
    const uint32_t mask = action < action_bits_.size() ? action_bits_[action] : 0;
    RuleId first = kNone;
    for (uint32_t word = 0; word * 64 < roles_->member_symbols.size(); ++word) {
      for (uint64_t left = context.slots().bits[roles_->first_bit / 64 + word]; left != 0; left &= left - 1) {
        const SymbolId role = roles_->member_symbols[word * 64 + static_cast<uint32_t>(std::countr_zero(left))];
        for (size_t at = hash(role, type, department);; ++at) {
          const Entry& entry = entries_[at & mask_];
          if (entry.rule == kNone) break;
          const bool same = entry.role == role && entry.type == type && entry.department == department;
          if (same && (entry.actions & mask) != 0) first = std::min(first, entry.rule);
        }
      }
    }
    return first == kNone ? default_answer() : answer(Effect::allow, first);
  }

 private:
  struct Entry {
    SymbolId role = 0, type = 0, department = 0;
    uint32_t actions = 0;
    RuleId rule = kNone;
  };
  struct Denial {
    int64_t limit = INT64_MAX;
    RuleId rule = kNone;
  };

  size_t hash(SymbolId role, SymbolId type, SymbolId department) const {
    const uint64_t key = (uint64_t{role} << 42) ^ (uint64_t{type} << 21) ^ department;
    return static_cast<size_t>((key * 0x9E3779B97F4A7C15) >> 32);
  }
  SymbolId symbol(const char* prefix, uint64_t number) const {
    return program_.symbol(prefix + std::to_string(number));
  }
  static void grow(auto& table, SymbolId symbol) {
    if (table.size() <= symbol) table.resize(symbol + 1);
  }

  void add_rules(size_t rules, uint64_t seed) {
    entries_.resize(std::bit_ceil(rules * 2 + 2));
    mask_ = entries_.size() - 1;
    for (uint32_t i = 0; i < std::size(kAccessActions); ++i) {
      const SymbolId action = program_.symbol(kAccessActions[i]);
      grow(action_bits_, action);
      if (action != 0) action_bits_[action] = 1u << i;
    }
    for (size_t i = 0; i < rules; ++i) {
      const AccessRule rule = access_rule(i, seed);
      const SymbolId department = symbol("dept", rule.department);
      if (rule.deny) {
        grow(denials_, department);
        denials_[department] = {rule.limit, static_cast<RuleId>(i)};
        least_limit_ = std::min(least_limit_, rule.limit);
        continue;
      }
      uint32_t actions = 0;
      for (uint64_t k = 0; k < rule.action_count; ++k)
        actions |= 1u << (rule.first_action + k) % std::size(kAccessActions);
      const SymbolId role = symbol("role", rule.role), type = symbol("type", rule.type);
      size_t at = hash(role, type, department);
      while (entries_[at & mask_].rule != kNone) ++at;
      entries_[at & mask_] = {role, type, department, actions, static_cast<RuleId>(i)};
    }
  }

  Decision answer(Effect effect, RuleId rule) const {
    return {.effect = effect, .code = DecisionCode::rule, .rule = rule, .reason = program_.rules()[rule].name};
  }
  static Decision refused(DecisionCode code, std::string_view reason) {
    return {.effect = Effect::deny, .code = code, .reason = reason};
  }
  static Decision default_answer() { return refused(DecisionCode::default_effect, "no rule matched"); }

  const Program& program_;
  const Slot* roles_;
  uint32_t action_, sensitivity_, type_, department_;
  size_t mask_ = 0;
  std::vector<Entry> entries_;
  std::vector<Denial> denials_;        // by the department's symbol
  std::vector<uint32_t> action_bits_;  // by the action's symbol
  int64_t least_limit_ = INT64_MAX;
};

}  // namespace ordain::bench
