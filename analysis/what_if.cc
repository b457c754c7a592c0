// Tries candidates, and decides the event with each: what is reported was decided, whatever the
// candidates were made from.
#include "ordain/what_if.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "analysis/explain.h"
#include "analysis/secret_reads.h"
#include "analysis/what_if_candidates.h"
#include "analysis/what_if_line.h"
#include "ordain/event.h"
#include "ordain/json.h"
#include "vm/json/json_tree.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

using detail::append_json_tree;
using detail::Candidate;
using detail::JsonTree;
using detail::NumberChange;
using detail::NumberLine;
using detail::Scale;
using detail::TriedValue;

constexpr size_t kMostCandidates = 256;
constexpr size_t kMostPaired = 40;
constexpr size_t kMostBytes = 16 << 20;  // of all events that are decided for one answer

JsonTree tree_of(const Value& value) {
  JsonTree out;
  if (!value.is(Kind::map)) {
    out.text = to_json(value);
    return out;
  }
  for (const MapEntry& entry : value.map->all()) {
    out.fields.emplace(std::string(entry.key.as_text()), tree_of(entry.value));
  }
  return out;
}

// @param json "" removes the field
void set_field(JsonTree& root, std::string_view path, const std::string& json) {
  JsonTree* at = &root;
  for (size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    at = &at->fields[std::string(path.substr(0, dot))];
    const std::string text = std::exchange(at->text, "");
    if (text.starts_with('"')) at->fields["id"].text = text;  // short for its id
    path.remove_prefix(dot + 1);
  }
  if (json.empty()) {
    at->fields.erase(std::string(path));
  } else {
    at->fields[std::string(path)] = {.fields = {}, .text = json};
  }
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
    event_ = tree_of(event->root());
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
    for (const detail::RuleOutcome& outcome : outcomes) hide_secrets(data, outcome.code);
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

  // A value that is compared with a secret tells about it, so what is beside a secret in a condition is hidden too.
  void hide_secrets(const ProgramData& data, uint32_t code) {
    const CapabilityId capability = reader_.call().capability().id;
    const auto hide = [&](uint32_t predicate) {
      if (detail::secret_read(data, capability, predicate).empty()) return;
      for (const SlotId slot : detail::slots_read(data, predicate)) hidden_.insert(data.schema.slots[slot].path);
    };
    const auto parts = detail::condition_parts(data, code);
    for (const ConditionPart& part : parts) hide(part.predicate);
    if (parts.empty()) hide(data.rule_codes[code].condition);
  }

  bool is_hidden(const std::string& path) const { return hidden_.contains(path); }

  // Decides the event with these changes.
  TriedValue try_changes(const std::vector<FieldChange>& changes) {
    if (left_ == 0) return {};
    --left_;
    JsonTree edited = event_;
    for (const FieldChange& change : changes) set_field(edited, change.path, change.set);
    std::string text;
    append_json_tree(text, edited);
    if (!reader_.read(text) || reader_.call().error().failed || reader_.context().error().failed) {
      return {.kind = TriedValue::Kind::invalid};
    }
    const Decision decision = decide(reader_.call(), reader_.context(), scratch_, options_.decide);
    return {.kind = decision.fault ? TriedValue::Kind::faulted : TriedValue::Kind::decided,
            .effect = decision.effect,
            .rule = decision.rule};
  }

  bool is_change(const TriedValue& tried) const {
    return tried.kind == TriedValue::Kind::decided && tried.effect != old_effect_;
  }

  // Adds what was found, unless the same is said already.
  void add(std::vector<DecisionChange>& out, Effect effect, RuleId rule, std::vector<FieldChange> fields) const {
    for (FieldChange& field : fields) {
      if (!is_hidden(field.path)) continue;
      if (field.relation != FieldRelation::absent) field.relation = FieldRelation::changed;
      field.value.clear();
      field.set.clear();
    }
    DecisionChange change{.stage = stage_,
                          .effect = effect,
                          .rule = rule == kNone ? "" : program_.rules()[rule].name,
                          .fields = std::move(fields)};
    const std::string words = to_string(change);
    const auto says_the_same = [&](const DecisionChange& other) { return to_string(other) == words; };
    if (std::none_of(out.begin(), out.end(), says_the_same)) out.push_back(std::move(change));
  }

  std::vector<DecisionChange> try_single(const Value& event) {
    std::vector<DecisionChange> out;
    std::map<std::pair<std::string, Scale>, NumberLine> lines;
    for (const Candidate& candidate : candidates_) {
      if (!candidate.numeric) {
        const TriedValue tried = try_changes({candidate.change});
        if (is_change(tried)) add(out, tried.effect, tried.rule, {candidate.change});
        continue;
      }
      const auto known = lines.find({candidate.change.path, candidate.scale});
      NumberLine& line = known != lines.end() ? known->second : begin_line(event, candidate, lines);
      line.try_number(candidate.position);
    }
    std::set<std::pair<std::string, Effect>> said;  // a field of any type has two lines, but one suggestion
    for (auto& [key, line] : lines) {
      for (const NumberChange& found : line.changes(!is_hidden(key.first))) {
        if (!said.emplace(key.first, found.effect).second) continue;
        add(out, found.effect, found.rule, {{key.first, found.relation, found.value, found.set}});
      }
    }
    return out;
  }

  NumberLine& begin_line(const Value& event, const Candidate& candidate,
                         std::map<std::pair<std::string, Scale>, NumberLine>& lines) {
    const std::string& path = candidate.change.path;
    const Scale scale = candidate.scale;
    const Value* value = detail::find_value(event, path);
    const std::optional<int64_t> now = value == nullptr ? std::nullopt : detail::position_of(scale, *value);
    const auto decide_with = [this, path, scale](int64_t position) {
      const std::string json = detail::number_json(scale, position);
      return try_changes({{path, FieldRelation::equals, json, json}});
    };
    NumberLine& line =
        lines.emplace(std::pair(path, scale), NumberLine(scale, now, old_effect_, decide_with)).first->second;
    // Conditions such as `n % 7 == 3` change close by, far from their constants.
    constexpr int64_t kNear = 4;
    const bool is_inside = now && scale == Scale::integers && *now > detail::first_position(scale) + kNear &&
                           *now < detail::last_position(scale) - kNear;
    for (int64_t distance = 1; is_inside && distance <= kNear; ++distance) {
      line.try_number(*now - distance);
      line.try_number(*now + distance);
    }
    return line;
  }

  std::vector<DecisionChange> try_pairs() {
    std::vector<DecisionChange> out;
    std::set<std::string> said;  // of numbers, which differ in the last digit, one is enough
    const size_t count = std::min(candidates_.size(), kMostPaired);
    for (size_t second = 1; second < count && left_ > 0; ++second) {
      for (size_t first = 0; first < second && out.size() < options_.most; ++first) {
        const Candidate &one = candidates_[first], &other = candidates_[second];
        if (one.change.path == other.change.path) continue;
        const TriedValue tried = try_changes({one.change, other.change});
        if (!is_change(tried)) continue;
        const std::string key = key_of(one) + key_of(other) + std::string(to_string(tried.effect));
        if (said.insert(key).second) add(out, tried.effect, tried.rule, {one.change, other.change});
      }
    }
    return out;
  }

  // Names the field, and its value unless that is a number.
  static std::string key_of(const Candidate& candidate) {
    const std::string& value = candidate.change.value;
    return fmt::format("{} {} {}\n", candidate.change.path, to_string(candidate.change.relation),
                       candidate.numeric ? "" : value);
  }

  const Program& program_;
  const ChangeOptions& options_;
  EventReader reader_;
  Scratch scratch_;
  size_t left_;
  Stage stage_ = Stage::before;
  Effect old_effect_ = Effect::deny;
  JsonTree event_;
  std::vector<Candidate> candidates_;
  std::set<std::string> hidden_;  ///< paths whose values are not shown
};

std::string_view effect_words(const DecisionChange& change) {
  if (change.effect == Effect::require_approval) return "need approval";
  if (change.stage == Stage::after) return change.effect == Effect::allow ? "be released" : "be withheld";
  return change.effect == Effect::allow ? "be allowed" : "be denied";
}

std::string field_words(const FieldChange& field) {
  static constexpr std::string_view kWords[] = {"were",          "were not",       "were at most", "were less than",
                                                "were at least", "were more than", "held",         "did not hold",
                                                "were absent",   "were different"};
  const std::string_view words = kWords[static_cast<size_t>(field.relation)];
  return fmt::format("`{}` {}{}{}", field.path, words, field.value.empty() ? "" : " ", field.value);
}

}  // namespace

std::string_view to_string(FieldRelation relation) {
  static constexpr std::string_view kNames[] = {"equals",    "other_than", "at_most", "less_than", "at_least",
                                                "more_than", "contains",   "lacks",   "absent",    "changed"};
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
