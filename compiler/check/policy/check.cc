// check.cc lists the passes of the checker of policy sets.
#include "compiler/check/policy/checker.h"

#include <utility>

#include "compiler/check/policy/check.h"

namespace ordain {

typed::PolicySet check(Arena& arena, Diagnostics& diagnostics, const std::vector<syntax::File>& files,
                       const FunctionTable& functions) {
  using namespace policy;
  State state(arena, diagnostics, files, functions);
  collect_packages(state);
  check_options(state);
  resolve_imports(state);

  declare_roots(state);
  check_contexts(state);
  check_capabilities(state);
  finish_roots(state);
  declare_targets(state);
  declare_records(state);
  declare_labels(state);
  declare_states(state);

  declare_lets(state);
  check_lets(state);
  check_states(state);
  check_policies(state);
  check_state_reads(state);
  check_unused_lets(state);
  check_tests(state);
  find_unused(state);

  bind_slots(state);
  digest_packages(state);
  return std::move(state.set);
}

namespace policy {

std::string_view State::text(Span span) const {
  if (span.file >= diagnostics.sources.size()) return {};
  std::string_view all = diagnostics.sources[span.file]->text;
  if (span.begin > all.size() || span.end < span.begin) return {};
  return all.substr(span.begin, span.end - span.begin);
}

std::vector<std::string> field_names(const RecordType& record) {
  std::vector<std::string> out;
  for (const RecordField& field : record.fields) out.emplace_back(field.name);
  return out;
}

bool is_input_or_output(std::string_view root) { return root == "input" || root == "output"; }

}  // namespace policy
}  // namespace ordain
