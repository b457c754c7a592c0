// Names kinds of rules and stages. This file needs nothing else of a Program, so that a program that
// only reads decisions can do without one.
#include "ordain/program.h"

namespace ordain {

std::string_view to_string(RuleKind kind) {
  switch (kind) {
    case RuleKind::deny:
      return "deny";
    case RuleKind::require_approval:
      return "require_approval";
    case RuleKind::allow:
      return "allow";
    case RuleKind::redact:
      return "redact";
    case RuleKind::warn:
      return "warn";
  }
  return "?";
}

std::string_view to_string(Stage stage) { return stage == Stage::before ? "before" : "after"; }

}  // namespace ordain
