// A conformance case is one JSON line of CEL's cases, read into Ordain's own types.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "compiler/check/expression/check_expression.h"
#include "ordain/arena.h"
#include "ordain/value.h"

namespace ordain::conformance {

struct Case {
  std::string file, section, name, expression;
  ExpressionEnv env;
  std::vector<std::pair<std::string, Value>> bindings;
  bool check_only = false;
  bool expects_error = false;
  bool expects_value = false;
  Value value;
  const Type* deduced_type = nullptr;
};

/// Reads one line. Everything the case points to lives in `arena`. Throws nlohmann::json::exception
/// on a malformed line.
Case read_case(Arena& arena, const nlohmann::json& line);

/// @returns whether value and kind are the same: NaN equals NaN, 1 and 1u and 1.0 differ, maps
/// compare without order
bool identical(const Value& a, const Value& b);

/// Formats a value for people: `{"x": 1u, 2.0: b"\x00"}`. After `limit` bytes it is cut: lists and maps that share
/// their parts can have a text that grows as a power of their depth.
std::string show(const Value& value, size_t limit = SIZE_MAX);

}  // namespace ordain::conformance
