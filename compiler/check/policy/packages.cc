// packages.cc determines which files make a package, its options, and what it imports.
#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "compiler/check/policy/checker.h"
#include "compiler/parse/import_path.h"
#include "ordain/eval.h"

namespace ordain::policy {
namespace {

PackageId package_of(State& state, const syntax::Name& name) {
  for (PackageId id = 0; id < state.packages.size(); ++id) {
    if (state.packages[id].name == name.text) return id;
  }
  Package package;
  package.name = std::string(name.text);
  package.name_span = name.span;
  state.packages.push_back(std::move(package));
  return static_cast<PackageId>(state.packages.size() - 1);
}

// The syntax tree has only the decoded text; the source shows whether it was quoted.
bool is_quoted(const State& state, const syntax::Name& name) {
  std::string_view text = state.text(name.span);
  return !text.empty() && text.find_first_of("\"'") != std::string_view::npos;
}

const std::string& path_of(const State& state, uint32_t file) {
  return state.diagnostics.sources[state.files[file].file]->path;
}

// @returns the indexes of the files that an import brings; more than one if a package has several
// files
std::vector<uint32_t> imported_files(const State& state, const std::vector<std::string>& paths, uint32_t importer,
                                     const syntax::ImportDecl& import) {
  std::vector<uint32_t> out;
  bool path = is_quoted(state, import.path);
  if (!path) {
    for (uint32_t file = 0; file < state.files.size(); ++file) {
      if (state.files[file].package.text == import.path.text) out.push_back(file);
    }
    if (!out.empty()) return out;
  }
  std::vector<std::string> candidates = import_candidates(path_of(state, importer), import.path.text, path);
  for (const std::string& candidate : candidates) {
    auto found = std::find(paths.begin(), paths.end(), candidate);
    if (found != paths.end()) return {static_cast<uint32_t>(found - paths.begin())};
  }
  if (path) return out;
  std::string tail = "/" + import_candidates("", import.path.text, false).front();
  for (uint32_t file = 0; file < paths.size(); ++file) {
    if (("/" + paths[file]).ends_with(tail)) return {file};
  }
  return out;
}

struct ImportEdge {
  uint32_t to = 0;
  Span span;
};
using ImportGraph = std::vector<std::vector<ImportEdge>>;

void report_cycle(State& state, const std::vector<uint32_t>& trail, uint32_t back_to, Span span) {
  std::string cycle;
  auto from = std::find(trail.begin(), trail.end(), back_to);
  for (auto file = from; file != trail.end(); ++file) cycle += path_of(state, *file) + " -> ";
  cycle += path_of(state, back_to);
  state.diagnostics.error("import-cycle", span, "these files import each other: " + cycle,
                          "move what they share into a file that imports neither");
}

// Searches depth first with a stack of its own, because chains of imports may be long. Reports each
// cycle once, where it closes.
void find_cycles(State& state, const ImportGraph& graph) {
  enum : uint8_t { kNew, kOpen, kDone };
  std::vector<uint8_t> state_of(graph.size(), kNew);
  for (uint32_t start = 0; start < graph.size(); ++start) {
    if (state_of[start] != kNew) continue;
    std::vector<uint32_t> trail{start};
    std::vector<size_t> next{0};
    state_of[start] = kOpen;
    while (!trail.empty()) {
      uint32_t file = trail.back();
      if (next.back() == graph[file].size()) {
        state_of[file] = kDone;
        trail.pop_back();
        next.pop_back();
        continue;
      }
      const ImportEdge& edge = graph[file][next.back()++];
      if (state_of[edge.to] == kOpen) {
        report_cycle(state, trail, edge.to, edge.span);
      } else if (state_of[edge.to] == kNew) {
        state_of[edge.to] = kOpen;
        trail.push_back(edge.to);
        next.push_back(0);
      }
    }
  }
}

void report_not_found(State& state, uint32_t importer, const syntax::ImportDecl& import) {
  std::vector<std::string> names;
  if (is_quoted(state, import.path)) {
    for (uint32_t file = 0; file < state.files.size(); ++file) {
      if (file != importer) names.push_back(path_of(state, file));
    }
  } else {
    for (const Package& package : state.packages) {
      if (!package.name.empty()) names.push_back(package.name);
    }
  }
  std::string help = did_you_mean(import.path.text, names);
  if (help.empty() && is_quoted(state, import.path)) help = "the path is relative to the file that imports";
  state.diagnostics.error("import-not-found", import.path.span, "nothing to import as " + quoted(import.path.text),
                          std::move(help));
}

// A dotted import that was found by its path must lead to the package of that name.
bool fits_package(State& state, const syntax::ImportDecl& import, uint32_t file) {
  std::string_view package = state.files[file].package.text;
  if (is_quoted(state, import.path) || package == import.path.text) return true;
  std::string what = package.empty() ? "which has no package" : "whose package is " + quoted(package);
  state.diagnostics.error("import-package", import.path.span,
                          quoted(import.path.text) + " is the file " + path_of(state, file) + ", " + what,
                          "import the file by its path, or name its package `" + std::string(import.path.text) + "`");
  return false;
}

// --- options

std::optional<uint32_t> steps_of(std::string_view digits) {
  const bool is_hexadecimal = digits.starts_with("0x") || digits.starts_with("0X");
  if (is_hexadecimal) digits.remove_prefix(2);
  uint64_t steps = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, steps, is_hexadecimal ? 16 : 10);
  if (error != std::errc() || stop != end || steps == 0 || steps > kMaxBudgetCost) return std::nullopt;
  return static_cast<uint32_t>(steps);
}

// Files of a package may repeat an option, but must not contradict each other.
void set_option(State& state, const syntax::OptionDecl& option, std::string value, OptionSetting* setting) {
  if (setting->value.empty()) {
    *setting = {std::move(value), option.name.span};
  } else if (setting->value != value) {
    Diagnostic& error =
        state.diagnostics.error("conflicting-option", option.value.span,
                                "this package's " + quoted(option.name.text) + " is already " + quoted(setting->value));
    error.notes.push_back({Severity::note, "", "first set here", setting->span, "", {}});
  }
}

void check_order(State& state, const syntax::OptionDecl& option, Package& package) {
  if (option.value.text != "first_match" && option.value.text != "deny_overrides") {
    std::string help = did_you_mean(option.value.text, {"first_match", "deny_overrides"});
    state.diagnostics.error("bad-option", option.value.span,
                            "`order` is `deny_overrides` or `first_match`, not " + quoted(option.value.text), help);
    return;
  }
  set_option(state, option, std::string(option.value.text), &package.order);
}

void check_budget(State& state, const syntax::OptionDecl& option, Package& package) {
  const std::optional<uint32_t> steps = steps_of(option.value.text);
  if (!steps) {
    state.diagnostics.error("bad-option", option.value.span,
                            "`budget` is a number of steps from 1 to 1,000,000,000, not " + quoted(option.value.text));
    return;
  }
  set_option(state, option, std::to_string(*steps), &package.budget);
}

// How long windows may be.
void check_history_limit(State& state, const syntax::OptionDecl& option, Package& package) {
  if (option.literal != nullptr && option.literal->value.is(Kind::duration) && option.literal->value.i > 0) {
    package.history_limit = option.literal->value.i;
    return;
  }
  state.diagnostics.error("bad-option", option.value.span,
                          "`history` is how long windows may be, not " + quoted(option.value.text),
                          "write a duration such as `30d`");
}

}  // namespace

void collect_packages(State& state) {
  for (const syntax::File& file : state.files) {
    PackageId id = package_of(state, file.package);
    state.file_packages.push_back(id);
    state.packages[id].files.push_back(static_cast<uint32_t>(state.file_packages.size() - 1));
  }
}

void check_options(State& state) {
  for (uint32_t file = 0; file < state.files.size(); ++file) {
    Package& package = state.packages[state.file_packages[file]];
    for (const syntax::OptionDecl& option : state.files[file].options) {
      if (option.name.text == "order") {
        check_order(state, option, package);
      } else if (option.name.text == "budget") {
        check_budget(state, option, package);
      } else if (option.name.text == "history") {
        check_history_limit(state, option, package);
      } else {
        state.diagnostics.error("unknown-option", option.name.span, "no option is called " + quoted(option.name.text),
                                did_you_mean(option.name.text, {"order", "budget", "history"}));
      }
    }
  }
  for (const Package& package : state.packages) {
    state.set.packages.push_back({.name = package.name,
                                  .first_match = package.order.value == "first_match",
                                  .budget = steps_of(package.budget.value).value_or(0),
                                  .digest = {}});
  }
}

void resolve_imports(State& state) {
  std::vector<std::string> paths;
  for (uint32_t file = 0; file < state.files.size(); ++file) paths.push_back(normal_path(path_of(state, file)));
  ImportGraph graph(state.files.size());
  for (uint32_t file = 0; file < state.files.size(); ++file) {
    for (const syntax::ImportDecl& import : state.files[file].imports) {
      std::vector<uint32_t> found = imported_files(state, paths, file, import);
      if (found.empty()) report_not_found(state, file, import);
      state.imports.push_back({file, &import, found});
      for (uint32_t other : found) {
        if (!fits_package(state, import, other)) continue;
        graph[file].push_back({other, import.path.span});
        state.packages[state.file_packages[file]].imports.insert(state.file_packages[other]);
      }
    }
  }
  find_cycles(state, graph);
}

}  // namespace ordain::policy
