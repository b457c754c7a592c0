// redact.cc checks that a capability's declaration has the path of a redact rule, or may have it.
#include <utility>

#include "compiler/check/policy/checker.h"

namespace ordain::policy {

std::string redact_path_text(const syntax::RuleDecl& rule) {
  std::string out;
  for (const syntax::PathStep& step : rule.path) {
    if (step.field.empty()) {
      out += "[*]";
    } else {
      out += out.empty() ? "" : ".";
      out += step.field;
    }
  }
  return out;
}

namespace {

PathFit misfit(State& state, Span span, std::string message, std::string help = "") {
  size_t before = state.diagnostics.items.size();
  state.diagnostics.error("redact-path", span, std::move(message), std::move(help));
  forget_repeated(state, before, nullptr);
  return {};
}

std::string path_before(const syntax::RuleDecl& rule, size_t step) {
  syntax::RuleDecl head = rule;
  head.path = rule.path.first(step);
  return redact_path_text(head);
}

}  // namespace

PathFit fit_redact_path(State& state, const syntax::RuleDecl& rule, Stage stage, CapabilityId capability) {
  const CapabilityShape& shape = state.shapes[capability];
  const Type* type = stage == Stage::before ? shape.input : shape.output;
  std::string_view root = stage == Stage::before ? "input" : "output";
  if (type == nullptr || rule.path.empty() || rule.path[0].field != root) return {};
  for (size_t i = 1; i < rule.path.size(); ++i) {
    const syntax::PathStep& step = rule.path[i];
    switch (type->kind) {
      case TypeKind::dyn:
      case TypeKind::error:
        return {};
      case TypeKind::list:
        if (!step.field.empty()) {
          return misfit(state, step.span, quoted(path_before(rule, i)) + " is a list",
                        "write `[*]` before `." + std::string(step.field) + "`, for every element");
        }
        type = type->params[0];
        break;
      case TypeKind::map:
        if (step.field.empty()) return misfit(state, step.span, quoted(path_before(rule, i)) + " is a map, not a list");
        type = type->params[1];
        break;
      case TypeKind::record: {
        if (step.field.empty())
          return misfit(state, step.span, quoted(path_before(rule, i)) + " is a record, not a list");
        const RecordField* field = type->record->find(step.field);
        if (field == nullptr) {
          if (type->record->open) return {true, {step.span, path_before(rule, i + 1), ""}, type->record};
          return {false, {step.span, path_before(rule, i + 1), std::string(type->record->name)}};
        }
        type = field->type;
        break;
      }
      default:
        return misfit(state, step.span,
                      quoted(path_before(rule, i)) + " is " + to_string(*type) + ", which has nothing inside");
    }
  }
  return {};
}

}  // namespace ordain::policy
