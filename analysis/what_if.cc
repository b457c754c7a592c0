// Tries candidates, and decides the event with each: what is reported was decided, whatever the
// candidates were made from.
#include "ordain/what_if.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "analysis/explain.h"
#include "analysis/what_if_candidates.h"
#include "ordain/event.h"
#include "ordain/json.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

using detail::Candidate;

constexpr size_t kMostCandidates = 256;
constexpr size_t kMostPaired = 40;
constexpr size_t kMostBytes = 16 << 20;  // of all events that are decided for one answer

// A JSON object that fields can be set in, or finished text.
struct EditedNode {
  bool is_object = false;
  std::map<std::string, EditedNode, std::less<>> fields;
  std::string text;
};

EditedNode node_of(const Value& value) {
  EditedNode out;
  if (!value.is(Kind::map)) {
    out.text = to_json(value);
    return out;
  }
  out.is_object = true;
  for (const MapEntry& entry : value.map->all()) {
    out.fields.emplace(std::string(entry.key.as_text()), node_of(entry.value));
  }
  return out;
}

// @param json "" removes the field
void set_field(EditedNode& root, std::string_view path, const std::string& json) {
  EditedNode* at = &root;
  for (size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    at = &at->fields[std::string(path.substr(0, dot))];
    if (!at->is_object && at->text.starts_with('"')) at->fields["id"].text = at->text;  // short for its id
    at->is_object = true;
    path.remove_prefix(dot + 1);
  }
  if (json.empty()) {
    at->fields.erase(std::string(path));
  } else {
    at->fields[std::string(path)] = {.is_object = false, .fields = {}, .text = json};
  }
}

void append_node(std::string& out, const EditedNode& node) {
  if (!node.is_object) {
    out += node.text;
    return;
  }
  const char* separator = "{";
  for (const auto& [name, field] : node.fields) {
    out += std::exchange(separator, ", ");
    append_json_string(out, name);
    out += ": ";
    append_node(out, field);
  }
  out += node.fields.empty() ? "{}" : "}";
}

class ChangeFinder {
 public:
  ChangeFinder(const std::shared_ptr<const Program>& program, const ChangeOptions& options)
      : program_(*program), options_(options), reader_(program, {.now = options.now}), left_(options.decisions) {}

  Result<std::vector<DecisionChange>> find(std::string_view text) {
    if (auto read = reader_.read(text); !read) return read.error();
    if (reader_.call().error().failed || reader_.context().error().failed) return std::vector<DecisionChange>();
    const Result<Document> event = Document::parse(text);
    if (!event) return std::vector<DecisionChange>();
    left_ = std::min(left_, kMostBytes / std::max<size_t>(1, text.size()));
    stage_ = reader_.call().stage();
    event_ = node_of(event->root());
    const Decision decision = decide(reader_.call(), reader_.context(), scratch_, options_.decide);
    old_effect_ = decision.effect;
    collect_candidates(event->root(), decision.rule);
    std::vector<DecisionChange> out = try_single(event->root());
    if (out.empty()) out = try_pairs();
    std::stable_sort(out.begin(), out.end(),
                     [](const DecisionChange& a, const DecisionChange& b) { return a.effect < b.effect; });
    if (out.size() > options_.most) out.resize(options_.most);
    return out;
  }

 private:
  // A denied call wants to know about the rules that would allow it rather than about further reasons to deny.
  int rank(const detail::RuleOutcome& outcome, RuleId deciding) const {
    if (outcome.rule == deciding) return 0;
    if (outcome.kind != detail::RuleOutcome::Kind::not_matched) return 1;
    const bool allows = program_.rules()[outcome.rule].kind == RuleKind::allow;
    return allows == (old_effect_ != Effect::allow) ? 2 : 3;
  }

  void collect_candidates(const Value& event, RuleId deciding) {
    const ProgramData& data = data_of(program_);
    std::vector<detail::RuleOutcome> outcomes =
        detail::explain(reader_.call(), reader_.context(), scratch_, options_.decide);
    std::erase_if(outcomes, [&](const detail::RuleOutcome& outcome) {
      return outcome.kind == detail::RuleOutcome::Kind::other_target ||
             data.rule_codes[outcome.code].condition == kNone;
    });
    std::stable_sort(outcomes.begin(), outcomes.end(),
                     [&](const auto& a, const auto& b) { return rank(a, deciding) < rank(b, deciding); });
    for (const detail::RuleOutcome& outcome : outcomes) {
      if (candidates_.size() >= kMostCandidates) break;
      const auto parts = detail::condition_parts(data, outcome.code);
      for (const ConditionPart& part : parts) {
        if (candidates_.size() < kMostCandidates) detail::add_candidates(data, part.predicate, event, candidates_);
      }
      if (parts.empty()) detail::add_candidates(data, data.rule_codes[outcome.code].condition, event, candidates_);
    }
    if (candidates_.size() > kMostCandidates) candidates_.resize(kMostCandidates);
  }

  // Decides the event with these changes. @returns false if that gives no other effect
  bool try_changes(const std::vector<FieldChange>& changes, DecisionChange* out) {
    if (left_ == 0) return false;
    --left_;
    EditedNode edited = event_;
    for (const FieldChange& change : changes) set_field(edited, change.path, change.set);
    std::string text;
    append_node(text, edited);
    if (!reader_.read(text) || reader_.call().error().failed || reader_.context().error().failed) return false;
    const Decision decision = decide(reader_.call(), reader_.context(), scratch_, options_.decide);
    if (decision.effect == old_effect_ || decision.fault) return false;
    *out = {.stage = stage_,
            .effect = decision.effect,
            .rule = decision.rule == kNone ? "" : program_.rules()[decision.rule].name,
            .fields = changes};
    return true;
  }

  bool gives(const Candidate& candidate, double number, Effect effect) {
    FieldChange change = candidate.change;
    change.set = detail::number_json(candidate, number);
    DecisionChange got;
    return try_changes({change}, &got) && got.effect == effect;
  }

  // Says how the number lies to the constant, and whether numbers further away from `now` do the same.
  void relate(const Candidate& candidate, double now, DecisionChange& change) {
    FieldChange& field = change.fields[0];
    const double number = candidate.number;
    const double away = number > now ? HUGE_VAL : -HUGE_VAL;
    if (!gives(candidate, detail::neighbour(candidate, number, away), change.effect)) {
      field.value = field.set;
      return;
    }
    const double opposite = detail::neighbour(candidate, now, -away);
    if (number == detail::neighbour(candidate, now, away) && gives(candidate, opposite, change.effect)) {
      field.relation = FieldRelation::other_than;
      field.value = detail::number_json(candidate, now);
    } else if (number == candidate.constant) {
      field.relation = number > now ? FieldRelation::at_least : FieldRelation::at_most;
    } else if ((number > candidate.constant) == (number > now)) {
      field.relation = number > now ? FieldRelation::more_than : FieldRelation::less_than;
    } else {
      field.value = field.set;
    }
  }

  std::vector<DecisionChange> try_single(const Value& event) {
    std::vector<DecisionChange> out;
    std::map<std::pair<std::string, Effect>, std::pair<double, const Candidate*>> nearest;  // numbers, by distance
    for (const Candidate& candidate : candidates_) {
      DecisionChange change;
      if (!try_changes({candidate.change}, &change)) continue;
      if (!candidate.numeric) {
        out.push_back(std::move(change));
        continue;
      }
      const double distance = std::abs(candidate.number - number_now(event, candidate));
      auto [known, is_new] = nearest.try_emplace({candidate.change.path, change.effect}, distance, &candidate);
      if (!is_new && distance < known->second.first) known->second = {distance, &candidate};
    }
    for (const auto& [key, found] : nearest) {
      DecisionChange change;
      if (!try_changes({found.second->change}, &change)) continue;
      const double now = number_now(event, *found.second);
      if (!std::isnan(now)) relate(*found.second, now, change);
      if (std::isnan(now)) change.fields[0].value = change.fields[0].set;
      out.push_back(std::move(change));
    }
    return out;
  }

  std::vector<DecisionChange> try_pairs() {
    std::vector<DecisionChange> out;
    const size_t count = std::min(candidates_.size(), kMostPaired);
    for (size_t second = 1; second < count && left_ > 0; ++second) {
      for (size_t first = 0; first < second && out.size() < options_.most; ++first) {
        std::vector<FieldChange> fields{candidates_[first].change, candidates_[second].change};
        if (fields[0].path == fields[1].path) continue;
        for (size_t i = 0; i < 2; ++i) {
          if (candidates_[i == 0 ? first : second].numeric) fields[i].value = fields[i].set;
        }
        DecisionChange change;
        if (try_changes(fields, &change)) out.push_back(std::move(change));
      }
    }
    return out;
  }

  // What the event says; NaN if it is not a number.
  static double number_now(const Value& event, const Candidate& candidate) {
    const Value* value = detail::find_value(event, candidate.change.path);
    if (value == nullptr) return std::nan("");
    if (value->is(Kind::integer)) return static_cast<double>(value->i);
    if (value->is(Kind::unsigned_integer)) return static_cast<double>(value->u);
    return value->is(Kind::floating) ? value->d : std::nan("");
  }

  const Program& program_;
  const ChangeOptions& options_;
  EventReader reader_;
  Scratch scratch_;
  size_t left_;
  Stage stage_ = Stage::before;
  Effect old_effect_ = Effect::deny;
  EditedNode event_;
  std::vector<Candidate> candidates_;
};

std::string_view effect_words(const DecisionChange& change) {
  if (change.effect == Effect::require_approval) return "need approval";
  if (change.stage == Stage::after) return change.effect == Effect::allow ? "be released" : "be withheld";
  return change.effect == Effect::allow ? "be allowed" : "be denied";
}

std::string field_words(const FieldChange& field) {
  static constexpr std::string_view kWords[] = {"were",           "were not",      "were at most",
                                                "were less than", "were at least", "were more than",
                                                "held",           "did not hold",  "were absent"};
  const std::string_view words = kWords[static_cast<size_t>(field.relation)];
  return fmt::format("`{}` {}{}{}", field.path, words, field.value.empty() ? "" : " ", field.value);
}

}  // namespace

std::string_view to_string(FieldRelation relation) {
  static constexpr std::string_view kNames[] = {"equals",    "other_than", "at_most", "less_than", "at_least",
                                                "more_than", "contains",   "lacks",   "absent"};
  return kNames[static_cast<size_t>(relation)];
}

std::string to_string(const DecisionChange& change) {
  std::string out = fmt::format("would {} if ", effect_words(change));
  for (size_t i = 0; i < change.fields.size(); ++i) {
    if (i > 0) out += i + 1 == change.fields.size() ? " and " : ", ";
    out += field_words(change.fields[i]);
  }
  return out;
}

Result<std::vector<DecisionChange>> find_changes(const std::shared_ptr<const Program>& program, std::string_view event,
                                                 const ChangeOptions& options) {
  return ChangeFinder(program, options).find(event);
}

}  // namespace ordain
