// Emits states, what calls add to them, and the slots that hold what rules read of them.
#include "compiler/emit/histories.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "compiler/emit/expression.h"

namespace ordain::emission {
namespace {

class HistoryEmitter {
 public:
  HistoryEmitter(const typed::PolicySet& set, Tables& tables, ProgramData& data)
      : histories_(set.histories), tables_(tables), expressions_(tables), out_(data.history) {}

  void emit() {
    for (const typed::State& state : histories_.states) {
      out_.states.push_back(state.decl);
      StateDecl& decl = out_.states.back();
      decl.location = tables_.location(state.span);
      if (decl.kind == StateKind::budget) decl.limit_constant = tables_.constant(state.limit);
    }
    out_.labels = histories_.labels;
    out_.session_labels = histories_.session_labels;
    out_.prompts = histories_.prompts;
    for (const auto& [slot, text] : histories_.texts) add_text(slot, text);
    for (const typed::CapabilityState& capability : histories_.capabilities) add_capability(capability);
  }

 private:
  uint32_t predicate(const typed::Expression& expression, uint8_t kind) {
    return expression.root == nullptr ? kNone : expressions_.emit(expression, kind);
  }

  // A condition that is the constant true is no condition. One that is false stays: the call is then not counted.
  uint32_t condition(const typed::Expression& when) {
    if (typed::is_constant(when, Kind::boolean) && when.root->value.as_bool()) return kNone;
    return predicate(when, static_cast<uint8_t>(Kind::boolean));
  }

  uint32_t amount(const typed::Expression& expression, Kind kind) {
    if (expression.root == nullptr) return kNone;
    const uint8_t known = register_kind(*expression.root->type);
    return predicate(expression, known == static_cast<uint8_t>(kind) ? known : kAnyKind);
  }

  TableRange key(const std::vector<typed::StateKey>& parts) {
    std::vector<std::tuple<uint8_t, uint32_t, uint32_t>> wanted;
    for (const typed::StateKey& part : parts) {
      const uint32_t constant = part.source == KeySource::literal ? tables_.constant(part.literal) : kNone;
      wanted.emplace_back(static_cast<uint8_t>(part.source), part.slot, constant);
    }
    auto [known, added] = keys_.try_emplace(wanted);
    if (!added) return known->second;
    known->second = {static_cast<uint32_t>(out_.key_parts.size()), static_cast<uint32_t>(wanted.size())};
    for (const auto& [source, slot, constant] : wanted) {
      out_.key_parts.push_back({static_cast<KeySource>(source), slot, constant});
    }
    return known->second;
  }

  void add_text(SlotId slot, const typed::TextSlot& text) {
    text_numbers_.emplace(slot, static_cast<uint32_t>(out_.texts.size()));
    out_.texts.push_back({text.what, text.label, predicate(text.text, kAnyKind), slot});
  }

  uint32_t read(SlotId slot, const std::vector<typed::StateKey>& parts) {
    const typed::StateSlot& declared = histories_.slots.at(slot);
    const TableRange keys = key(parts);
    auto [known, added] = reads_.try_emplace({slot, keys.first, keys.count}, static_cast<uint32_t>(out_.reads.size()));
    if (added) out_.reads.push_back({declared.state, declared.member, declared.other, keys, slot});
    return known->second;
  }

  template <typename T>
  static TableRange append(std::vector<T>& to, const std::vector<T>& items) {
    const TableRange range{items.empty() ? 0 : static_cast<uint32_t>(to.size()), static_cast<uint32_t>(items.size())};
    to.insert(to.end(), items.begin(), items.end());
    return range;
  }

  void add_capability(const typed::CapabilityState& capability) {
    CapabilityState out;
    out.labels = capability.labels;
    std::vector<StateEffect> effects;
    for (const typed::StateEffect& effect : capability.effects) effects.push_back(emit_effect(effect));
    out.effects = append(out_.effects, effects);
    for (size_t stage = 0; stage < 2; ++stage) {
      std::vector<uint32_t> reads;
      for (const auto& [slot, parts] : capability.reads[stage]) reads.push_back(read(slot, parts));
      out.reads[stage] = append(out_.read_list, reads);
      std::vector<uint32_t> texts;
      for (const SlotId slot : capability.texts[stage]) texts.push_back(text_numbers_.at(slot));
      out.texts[stage] = append(out_.text_list, texts);
    }
    std::vector<LabelRule> rules;
    for (const typed::LabelRuleBody* body : capability.label_rules) {
      if (typed::is_constant(body->when, Kind::boolean) && !body->when.root->value.as_bool()) continue;
      LabelRule rule = body->info;
      if (body->targets.any()) rule.target_set = tables_.target_set(body->targets);
      rule.when = condition(body->when);
      rule.because = predicate(body->because, static_cast<uint8_t>(Kind::string));
      rule.location = tables_.location(body->span);
      rules.push_back(std::move(rule));
    }
    out.label_rules = append(out_.label_rules, rules);
    out_.capabilities.push_back(out);
  }

  StateEffect emit_effect(const typed::StateEffect& effect) {
    const Kind kind = histories_.states[effect.state].decl.amount;
    StateEffect out;
    out.state = effect.state;
    if (effect.targets.any()) out.target_set = tables_.target_set(effect.targets);
    out.stage = effect.stage;
    out.keys = key(effect.keys);
    out.when = condition(effect.when);
    out.amount = amount(effect.amount, kind);
    out.settle = amount(effect.settle, kind);
    return out;
  }

  const typed::Histories& histories_;
  Tables& tables_;
  ExpressionEmitter expressions_;  ///< shares no lets: these predicates do not run within a decision
  HistoryTables& out_;
  std::map<std::vector<std::tuple<uint8_t, uint32_t, uint32_t>>, TableRange> keys_;
  std::map<std::tuple<SlotId, uint32_t, uint32_t>, uint32_t> reads_;
  std::map<SlotId, uint32_t> text_numbers_;
};

}  // namespace

void add_histories(const typed::PolicySet& set, Tables& tables, ProgramData& data) {
  HistoryEmitter(set, tables, data).emit();
}

}  // namespace ordain::emission
