// A bound is claimed only where the effect changes between two neighbours, and the numbers that were tried beyond,
// samples and constants of the policies, agree. Otherwise the number itself is suggested.
#include "analysis/what_if_line.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <utility>

namespace ordain::detail {

NumberLine::NumberLine(Scale scale, std::optional<int64_t> now, Effect old_effect, Decide decide)
    : scale_(scale), now_(now), old_effect_(old_effect), decide_(std::move(decide)) {
  if (now_) tried_[*now_] = {TriedValue::Kind::decided, old_effect, kNone};
}

void NumberLine::try_number(int64_t position) {
  at(position);
  order_.push_back(position);
}

const TriedValue& NumberLine::at(int64_t position) {
  auto known = tried_.find(position);
  if (known == tried_.end()) known = tried_.emplace(position, decide_(position)).first;
  return known->second;
}

bool NumberLine::gives(int64_t position, Effect effect) {
  const TriedValue& tried = at(position);
  return tried.kind == TriedValue::Kind::decided && tried.effect == effect;
}

std::vector<NumberChange> NumberLine::changes(bool bounds) {
  std::vector<NumberChange> out;
  for (const Effect effect : {Effect::allow, Effect::require_approval, Effect::deny}) {
    if (effect == old_effect_) continue;
    const auto first =
        std::find_if(order_.begin(), order_.end(), [&](int64_t number) { return gives(number, effect); });
    if (first == order_.end()) continue;
    if (!now_ || !bounds) {
      out.push_back(change_to(*first, effect));
      continue;
    }
    const std::optional<Edge> below = find_edge(effect, -1), above = find_edge(effect, 1);
    const bool around =
        below && above && below->bound && above->bound && below->before == *now_ && above->before == *now_;
    if (around) {
      NumberChange change = change_to(below->position, effect);
      change.relation = FieldRelation::other_than;
      change.value = number_json(scale_, *now_);
      out.push_back(std::move(change));
      continue;
    }
    const bool is_below = below && (!above || distance(*below) < distance(*above) ||
                                    (distance(*below) == distance(*above) && (below->bound || !above->bound)));
    out.push_back(describe(is_below ? *below : *above, effect));
  }
  return out;
}

std::optional<NumberLine::Edge> NumberLine::find_edge(Effect effect, int direction) {
  const auto is_other = [&](const TriedValue& tried) {
    return tried.kind != TriedValue::Kind::decided || tried.effect != effect;
  };
  auto place = tried_.find(*now_);
  Edge out{.position = *now_, .before = *now_};
  while (is_other(tried_.at(out.position))) {
    if (direction < 0 && place == tried_.begin()) return std::nullopt;
    std::advance(place, direction);
    if (place == tried_.end()) return std::nullopt;
    out.before = std::exchange(out.position, place->first);
  }
  while (out.before + direction != out.position) {
    const int64_t middle = std::midpoint(out.before, out.position);
    const TriedValue& tried = at(middle);
    if (tried.kind == TriedValue::Kind::untried) return out;
    (is_other(tried) ? out.before : out.position) = middle;
  }
  const TriedValue::Kind before = tried_.at(out.before).kind;
  out.exact = before == TriedValue::Kind::decided || before == TriedValue::Kind::faulted;
  out.bound = out.exact && agrees_beyond(out.position, direction, effect);
  return out;
}

bool NumberLine::agrees_beyond(int64_t position, int direction, Effect effect) {
  std::vector<int64_t> numbers = samples_beyond(scale_, position, direction);
  for (const auto& [known, tried] : tried_) {
    if (direction > 0 ? known > position : known < position) numbers.push_back(known);
  }
  return std::all_of(numbers.begin(), numbers.end(), [&](int64_t number) {
    return gives(number, effect) || at(number).kind == TriedValue::Kind::invalid;
  });
}

double NumberLine::distance(const Edge& edge) const {
  return std::abs(number_at(scale_, edge.position) - number_at(scale_, *now_));
}

NumberChange NumberLine::describe(const Edge& edge, Effect effect) {
  NumberChange out = change_to(edge.position, effect);
  if (!edge.bound) return out;
  const bool is_below = edge.position < *now_;
  out.relation = is_below ? FieldRelation::at_most : FieldRelation::at_least;
  // "less than 2.0" rather than "at most 1.9999999999999998".
  std::string before = number_json(scale_, edge.before);
  if (scale_ == Scale::doubles && before.size() < out.value.size()) {
    out.relation = is_below ? FieldRelation::less_than : FieldRelation::more_than;
    out.value = std::move(before);
  }
  return out;
}

NumberChange NumberLine::change_to(int64_t position, Effect effect) {
  const std::string json = number_json(scale_, position);
  return {.effect = effect, .rule = at(position).rule, .value = json, .set = json};
}

}  // namespace ordain::detail
