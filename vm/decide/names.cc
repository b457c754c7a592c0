// Names effects and codes. This file needs nothing of the engines, so that a program that only reads
// decisions can do without them.
#include "ordain/decide.h"

namespace ordain {

std::string_view to_string(Effect effect) {
  switch (effect) {
    case Effect::allow:
      return "allow";
    case Effect::require_approval:
      return "require_approval";
    case Effect::deny:
      return "deny";
  }
  return "?";
}

std::string_view to_string(DecisionCode code) {
  switch (code) {
    case DecisionCode::rule:
      return "rule";
    case DecisionCode::default_effect:
      return "default";
    case DecisionCode::invalid_input:
      return "invalid_input";
    case DecisionCode::missing_context:
      return "missing_context";
    case DecisionCode::evaluation_error:
      return "evaluation_error";
    case DecisionCode::budget_exceeded:
      return "budget_exceeded";
  }
  return "?";
}

}  // namespace ordain
