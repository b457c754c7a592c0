// domain.cc narrows domains. Where a step would not be exact, for instance with numbers that doubles
// cannot tell apart, it leaves the domain as it is.
#include "compiler/lint/domain.h"

#include <algorithm>
#include <cmath>

namespace ordain::lint {
namespace {

using typed::Node;
using typed::NodeKind;

constexpr size_t kMostValues = 64;  ///< in a finite set
constexpr size_t kMostFacts = 16;   ///< about a text, and of excluded values
constexpr double kExact = 9007199254740992.0;

// The results that a function can have. Of a duration, getHours() and the like count the whole time.
struct KnownRange {
  std::string_view function;
  int64_t low, high;
};
constexpr KnownRange kKnownRanges[] = {
    {"size", 0, INT64_MAX}, {"indexOf", -1, INT64_MAX}, {"lastIndexOf", -1, INT64_MAX}, {"getMonth", 0, 11},
    {"getDate", 1, 31},     {"getDayOfMonth", 0, 30},   {"getDayOfWeek", 0, 6},         {"getDayOfYear", 0, 365},
    {"getHours", 0, 23},    {"getMinutes", 0, 59},      {"getSeconds", 0, 59},          {"getMilliseconds", 0, 999},
};

const KnownRange* known_range(const Node& node) {
  if (node.kind != NodeKind::call || node.overload == nullptr || node.args.empty()) return nullptr;
  const std::string_view name = node.overload->name;
  const TypeKind of = node.args[0]->type->kind;
  const bool has_size = of == TypeKind::string || of == TypeKind::bytes || of == TypeKind::list ||
                        of == TypeKind::map || of == TypeKind::record;
  if (name.starts_with("get") ? of != TypeKind::timestamp : !has_size) return nullptr;
  for (const KnownRange& range : kKnownRanges) {
    if (range.function == name) return &range;
  }
  return nullptr;
}

// What size() can give of a field that is declared with limits.
const TypeLimits* limits_of_size(const Node& node) {
  const KnownRange* range = known_range(node);
  if (range == nullptr || range->function != "size" || node.args[0]->declared == nullptr) return nullptr;
  return node.args[0]->declared->limits;
}

bool is_same(const Value& a, const Value& b) { return equal(a, b); }

bool contains_value(std::span<const Value> values, const Value& value) {
  return std::any_of(values.begin(), values.end(), [&](const Value& each) { return is_same(each, value); });
}

bool has_between(std::string_view text, char from, char to) {
  return std::any_of(text.begin(), text.end(), [&](char c) { return c >= from && c <= to; });
}

bool is_ascii_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

bool meets(std::string_view text, TextTest test, std::string_view part) {
  if (test == TextTest::starts_with) return text.starts_with(part);
  if (test == TextTest::ends_with) return text.ends_with(part);
  return text.find(part) != std::string_view::npos;
}

Domain::Domain(const Node& node) : type_(node.type->kind) {
  may_be_nan_ = type_ == TypeKind::floating || type_ == TypeKind::dyn;
  if (type_ == TypeKind::boolean) only_ = std::vector<Value>{Value::boolean(false), Value::boolean(true)};
  if (type_ == TypeKind::integer) {
    low_ = Value::integer(INT64_MIN);
    high_ = Value::integer(INT64_MAX);
    if (const KnownRange* range = known_range(node)) {
      low_ = Value::integer(range->low);
      high_ = Value::integer(range->high);
    }
  }
  if (const TypeLimits* limits = limits_of_size(node)) {
    const auto bound = [](uint64_t size) {
      return Value::integer(static_cast<int64_t>(std::min<uint64_t>(size, INT64_MAX)));
    };
    low_ = bound(limits->min_size);
    high_ = bound(limits->max_size);
  }
  if (node.declared != nullptr && node.declared->limits != nullptr) {
    const TypeLimits& limits = *node.declared->limits;
    if (limits.least.present()) low_ = limits.least;
    if (limits.most.present()) high_ = limits.most;
    if (limits.least.present() && limits.most.present()) may_be_nan_ = false;
    if (!limits.values.empty()) only_ = std::vector<Value>(limits.values.begin(), limits.values.end());
    if (type_ == TypeKind::string && limits.min_size > 0) excluded_.push_back(Value::string(""));
  }
  if (type_ == TypeKind::string && node.kind == NodeKind::call && node.overload != nullptr) {
    const std::string_view name = node.overload->name;
    if (name == "lowerAscii") form_ = Form::lower;
    if (name == "upperAscii") form_ = Form::upper;
    if (name == "trim") form_ = Form::trimmed;
  }
}

// A double stands for many integers once they are large, so only numbers of the declared kind, or
// small ones, are compared.
bool Domain::usable(const Value& constant) const {
  switch (constant.kind) {
    case Kind::integer:
      return type_ == TypeKind::integer || std::abs(static_cast<double>(constant.i)) < kExact;
    case Kind::unsigned_integer:
      return type_ == TypeKind::unsigned_integer || static_cast<double>(constant.u) < kExact;
    case Kind::floating:
      return type_ == TypeKind::floating || std::abs(constant.d) < kExact;
    default:
      return true;
  }
}

void Domain::at_least(const Value& bound, bool open) {
  const Ordering order = low_ ? compare(bound, *low_) : Ordering::greater;
  if (order == Ordering::equal) low_open_ = low_open_ || open;
  if (order != Ordering::greater && order != Ordering::none) return;
  low_ = bound;
  low_open_ = open;
}

void Domain::at_most(const Value& bound, bool open) {
  const Ordering order = high_ ? compare(bound, *high_) : Ordering::less;
  if (order == Ordering::equal) high_open_ = high_open_ || open;
  if (order != Ordering::less && order != Ordering::none) return;
  high_ = bound;
  high_open_ = open;
}

bool Domain::within(const Value& value) const {
  if (low_) {
    const Ordering order = compare(value, *low_);
    if (order != Ordering::greater && (order != Ordering::equal || low_open_)) return false;
  }
  if (high_) {
    const Ordering order = compare(value, *high_);
    if (order != Ordering::less && (order != Ordering::equal || high_open_)) return false;
  }
  return true;
}

bool Domain::has_form(std::string_view text) const {
  switch (form_) {
    case Form::lower:
      return !has_between(text, 'A', 'Z');
    case Form::upper:
      return !has_between(text, 'a', 'z');
    case Form::trimmed:
      return text.empty() || (!is_ascii_space(text.front()) && !is_ascii_space(text.back()));
    case Form::any:
      break;
  }
  return true;
}

bool Domain::fits(const Value& value) const {
  if (!within(value) || contains_value(excluded_, value)) return false;
  if (!value.is(Kind::string)) return texts_.empty() || type_ != TypeKind::string;
  return has_form(value.as_text()) && std::all_of(texts_.begin(), texts_.end(), [&](const TextFact& fact) {
           return meets(value.as_text(), fact.test, fact.part) == fact.holds;
         });
}

// Whether no text can be as `fact` says and as is known already.
bool Domain::contradicts(const TextFact& fact) const {
  if (fact.holds && form_ != Form::trimmed && !has_form(fact.part)) return true;
  return std::any_of(texts_.begin(), texts_.end(), [&](const TextFact& known) {
    if (known.holds && fact.holds) {
      if (known.test != fact.test || fact.test == TextTest::contains) return false;
      return !meets(known.part, fact.test, fact.part) && !meets(fact.part, fact.test, known.part);
    }
    if (known.holds == fact.holds) return false;
    // A text that begins or ends with a part also has what the part itself has there, and contains
    // what the part contains.
    const TextFact& holds = known.holds ? known : fact;
    const TextFact& fails = known.holds ? fact : known;
    if (fails.test == TextTest::contains) return meets(holds.part, TextTest::contains, fails.part);
    return fails.test == holds.test && meets(holds.part, fails.test, fails.part);
  });
}

bool Domain::interval_is_empty() const {
  if (!low_ || !high_) return false;
  const Ordering order = compare(*low_, *high_);
  return order == Ordering::greater || order == Ordering::none ||
         (order == Ordering::equal && (low_open_ || high_open_));
}

// Between neighbouring integers there is nothing.
void Domain::close_integer_bounds() {
  if (type_ != TypeKind::integer || !low_ || !high_ || !low_->is(Kind::integer) || !high_->is(Kind::integer)) return;
  while (low_->i < high_->i && (low_open_ || contains_value(excluded_, *low_))) {
    low_ = Value::integer(low_->i + 1);
    low_open_ = false;
  }
  while (high_->i > low_->i && (high_open_ || contains_value(excluded_, *high_))) {
    high_ = Value::integer(high_->i - 1);
    high_open_ = false;
  }
}

bool Domain::settle() {
  if (interval_is_empty()) return may_be_nan_ && !only_;
  close_integer_bounds();
  if (!only_ && low_ && high_ && !may_be_nan_ && compare(*low_, *high_) == Ordering::equal) {
    only_ = std::vector<Value>{*low_};
  }
  if (!only_) return true;
  std::erase_if(*only_, [&](const Value& value) { return !fits(value); });
  return !only_->empty();
}

bool Domain::equals(const Value& constant, bool holds) { return is_one_of({&constant, 1}, holds); }

bool Domain::is_less(const Value& constant, bool or_equal, bool holds) {
  if (!usable(constant) || compare(constant, constant) != Ordering::equal) return true;
  if (!holds) {
    if (type_ == TypeKind::dyn) return true;
    at_least(constant, or_equal);
    return settle();
  }
  may_be_nan_ = false;
  at_most(constant, !or_equal);
  return settle();
}

bool Domain::is_greater(const Value& constant, bool or_equal, bool holds) {
  if (!usable(constant) || compare(constant, constant) != Ordering::equal) return true;
  if (!holds) {
    if (type_ == TypeKind::dyn) return true;
    at_most(constant, or_equal);
    return settle();
  }
  may_be_nan_ = false;
  at_least(constant, !or_equal);
  return settle();
}

bool Domain::is_one_of(std::span<const Value> constants, bool holds) {
  if (constants.size() > kMostValues && (!holds || !only_)) return true;
  const auto is_known = [&](const Value& value) { return usable(value) && is_same(value, value); };
  if (!std::all_of(constants.begin(), constants.end(), is_known)) return true;
  if (!holds) {
    if (only_) std::erase_if(*only_, [&](const Value& value) { return contains_value(constants, value); });
    if (constants.size() + excluded_.size() <= kMostFacts) {
      excluded_.insert(excluded_.end(), constants.begin(), constants.end());
    }
    return settle();
  }
  may_be_nan_ = false;
  if (only_) {
    std::erase_if(*only_, [&](const Value& value) { return !contains_value(constants, value); });
  } else {
    only_ = std::vector<Value>(constants.begin(), constants.end());
  }
  return settle();
}

bool Domain::meets_text(TextTest test, std::string_view part, bool holds) {
  const TextFact fact{test, part, holds};
  if ((part.empty() && !holds) || contradicts(fact)) return false;
  if (texts_.size() < kMostFacts) texts_.push_back(fact);
  return settle();
}

void Domain::widen_low(const Domain& other) {
  const Ordering order = low_ && other.low_ ? compare(*other.low_, *low_) : Ordering::none;
  if (order == Ordering::equal) low_open_ = low_open_ && other.low_open_;
  if (order == Ordering::equal || order == Ordering::greater) return;
  low_ = order == Ordering::less ? other.low_ : std::nullopt;
  low_open_ = order == Ordering::less && other.low_open_;
}

void Domain::widen_high(const Domain& other) {
  const Ordering order = high_ && other.high_ ? compare(*other.high_, *high_) : Ordering::none;
  if (order == Ordering::equal) high_open_ = high_open_ && other.high_open_;
  if (order == Ordering::equal || order == Ordering::less) return;
  high_ = order == Ordering::greater ? other.high_ : std::nullopt;
  high_open_ = order == Ordering::greater && other.high_open_;
}

void Domain::join(const Domain& other) {
  may_be_nan_ = may_be_nan_ || other.may_be_nan_;
  if (only_ && other.only_ && only_->size() + other.only_->size() <= kMostValues) {
    only_->insert(only_->end(), other.only_->begin(), other.only_->end());
  } else {
    only_.reset();
  }
  widen_low(other);
  widen_high(other);
  std::erase_if(excluded_, [&](const Value& value) { return !contains_value(other.excluded_, value); });
  texts_.clear();
}

}  // namespace ordain::lint
