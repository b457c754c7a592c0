// A Domain holds which values an expression can have, given what some conditions say about it: an
// interval, a finite set, values that are excluded, and how a text begins, ends and what it contains.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "compiler/check/expression/typed.h"

namespace ordain::lint {

enum class TextTest : uint8_t { starts_with, ends_with, contains };

/// @returns what a test of a text by another one says
bool meets(std::string_view text, TextTest test, std::string_view part);

/// The values that are possible may be more than the values that occur, and never less. Constants must
/// outlive the Domain.
class Domain {
 public:
  /// All values that the node can have, by its type and by what is known of the function it calls.
  explicit Domain(const typed::Node& node);

  // Each of these adds what holds if an operator with the constant is true, or false. They return
  // whether a value is left.
  bool equals(const Value& constant, bool holds);
  bool is_less(const Value& constant, bool or_equal, bool holds);
  bool is_greater(const Value& constant, bool or_equal, bool holds);
  bool is_one_of(std::span<const Value> constants, bool holds);
  bool meets_text(TextTest test, std::string_view part, bool holds);

  /// Adds all values of `other`, which is a Domain of the same node.
  void join(const Domain& other);

 private:
  struct TextFact {
    TextTest test;
    std::string_view part;
    bool holds;
  };
  enum class Form : uint8_t { any, lower, upper, trimmed };

  bool usable(const Value& constant) const;
  void at_least(const Value& bound, bool open);
  void at_most(const Value& bound, bool open);
  bool within(const Value& value) const;
  bool fits(const Value& value) const;
  bool has_form(std::string_view text) const;
  bool contradicts(const TextFact& fact) const;
  bool interval_is_empty() const;
  void close_integer_bounds();
  void widen_low(const Domain& other);
  void widen_high(const Domain& other);
  bool settle();

  TypeKind type_;
  Form form_ = Form::any;
  bool may_be_nan_ = false;  ///< NaN is possible, which no bound excludes
  std::optional<Value> low_, high_;
  bool low_open_ = false, high_open_ = false;
  std::optional<std::vector<Value>> only_;  ///< the only possible values
  std::vector<Value> excluded_;
  std::vector<TextFact> texts_;
};

}  // namespace ordain::lint
