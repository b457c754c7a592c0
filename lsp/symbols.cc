// symbols.cc walks the trees of a set: first the declarations, then what refers to them. It follows
// the scopes of the language: macros and tests have names of their own.
#include "lsp/symbols.h"

#include <algorithm>
#include <set>

namespace ordain::lsp {

using syntax::Expr;
using syntax::ExprKind;

std::string_view bare_name(std::string_view name) {
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

class SymbolCollector {
 public:
  SymbolCollector(SymbolIndex& index, const std::vector<syntax::File>& files,
                  const std::vector<std::shared_ptr<const Source>>& sources)
      : index_(index), files_(files), sources_(sources) {}

  void run() {
    index_.files_.resize(files_.size());
    for (const syntax::File& file : files_) declare(file);
    for (const syntax::File& file : files_) refer(file);
    for (auto& file : index_.files_) {
      std::sort(file.begin(), file.end(), [](const Occurrence& a, const Occurrence& b) {
        return std::pair(a.span.begin, !a.defines) < std::pair(b.span.begin, !b.defines);
      });
      const auto same = [](const Occurrence& a, const Occurrence& b) {
        return a.span.begin == b.span.begin && a.span.end == b.span.end && a.symbol == b.symbol;
      };
      file.erase(std::unique(file.begin(), file.end(), same), file.end());
    }
  }

 private:
  uint32_t symbol(SymbolKind kind, const std::string& name) {
    const auto [found, added] = index_.ids_.try_emplace({kind, name}, static_cast<uint32_t>(index_.symbols_.size()));
    if (added) index_.symbols_.push_back({kind, name, package_, StateKind::history});
    return found->second;
  }

  void add(uint32_t symbol, Span span, bool defines) {
    if (span.file < index_.files_.size() && span.begin < span.end) {
      index_.files_[span.file].push_back({span, symbol, defines});
    }
  }

  std::string qualified(std::string_view name) const {
    return package_.empty() ? std::string(name) : package_ + "." + std::string(name);
  }

  // --- declarations

  void declare(const syntax::File& file) {
    package_ = std::string(file.package.text);
    for (const auto& decl : file.capabilities) {
      add(symbol(SymbolKind::capability, std::string(decl.name.text)), decl.name.span, true);
    }
    for (const auto& decl : file.lets) declare_value(SymbolKind::let, decl.name);
    for (const auto& decl : file.states) {
      const uint32_t id = declare_value(SymbolKind::state, decl.name);
      index_.symbols_[id].state = decl.kind;
    }
    for (const syntax::Name& label : file.labels)
      add(symbol(SymbolKind::label, std::string(label.text)), label.span, true);
    for (const syntax::PolicyDecl& policy : file.policies) {
      const std::string name(policy.name.text);
      add(symbol(SymbolKind::policy, name), policy.name.span, true);
      for (const syntax::RuleDecl& rule : policy.rules) declare_rule(name, rule.name);
      for (const syntax::LabelRuleDecl& rule : policy.label_rules) declare_rule(name, rule.rule.name);
    }
  }

  uint32_t declare_value(SymbolKind kind, const syntax::Name& name) {
    const uint32_t id = symbol(kind, qualified(name.text));
    index_.values_.emplace(qualified(name.text), id);
    add(id, name.span, true);
    return id;
  }

  void declare_rule(const std::string& policy, const syntax::Name& name) {
    if (name.text.empty()) return;
    add(symbol(SymbolKind::rule, policy + "." + std::string(name.text)), name.span, true);
  }

  // --- references

  void refer(const syntax::File& file) {
    package_ = std::string(file.package.text);
    for (const auto& decl : file.capabilities) {
      for (const syntax::Name& label : decl.labels) refer_label(label);
    }
    for (const auto& decl : file.lets) {
      if (decl.data == nullptr) visit(decl.value);
    }
    for (const auto& decl : file.states) refer_state(decl);
    for (const syntax::PolicyDecl& policy : file.policies) {
      refer_targets(policy.targets);
      for (const syntax::RuleDecl& rule : policy.rules) refer_clauses(rule);
      for (const syntax::LabelRuleDecl& rule : policy.label_rules) {
        refer_label(rule.label);
        refer_clauses(rule.rule);
      }
    }
    for (size_t i = 0; i < file.tests.size(); ++i) refer_test(file.tests[i], file.file, i);
  }

  void refer_label(const syntax::Name& label) {
    add(symbol(SymbolKind::label, std::string(label.text)), label.span, false);
  }

  void refer_targets(std::span<const syntax::Target> targets) {
    for (const syntax::Target& target : targets) {
      if (target.text.find('*') != std::string_view::npos) continue;
      add(symbol(SymbolKind::capability, std::string(target.text)), target.span, false);
    }
  }

  void refer_clauses(const syntax::RuleDecl& rule) {
    for (const Expr* clause : {rule.when, rule.because, rule.from, rule.expires, rule.with}) visit(clause);
  }

  void refer_state(const syntax::StateDecl& decl) {
    refer_targets(decl.targets);
    for (const Expr* part : {decl.amount, decl.when, decl.settle, decl.window, decl.total}) visit(part);
  }

  void refer_test(const syntax::TestDecl& test, uint32_t file, size_t number) {
    const std::string scope = std::to_string(file) + "#" + std::to_string(number) + ".";
    for (const syntax::TestStep& step : test.steps) {
      switch (step.kind) {
        case syntax::TestStep::Kind::let:
          visit(step.let.value);
          define_fixture(scope, step.let.name);
          break;
        case syntax::TestStep::Kind::rows:
          for (const syntax::Name& column : step.rows.columns) define_fixture(scope, column);
          for (const syntax::RowDecl& row : step.rows.rows) {
            for (const Expr* value : row.values) visit(value);
            for (const syntax::ExpectStep& expect : row.expects) refer_outcome(expect.by);
          }
          break;
        case syntax::TestStep::Kind::call:
          add(symbol(SymbolKind::capability, std::string(step.call.capability.text)), step.call.capability.span, false);
          for (const syntax::FieldInit& field : step.call.input) visit(field.value);
          visit(step.call.like);
          visit(step.call.returns);
          for (const syntax::Binding& binding : step.call.with) visit(binding.value);
          break;
        case syntax::TestStep::Kind::expect:
          refer_outcome(step.expect.by);
          break;
        default:
          break;
      }
    }
    fixtures_.clear();
  }

  void define_fixture(const std::string& scope, const syntax::Name& name) {
    const uint32_t id = symbol(SymbolKind::fixture, scope + std::string(name.text));
    fixtures_[std::string(name.text)] = id;
    add(id, name.span, true);
  }

  // The name of a rule: its policy, a dot, and the name in its policy.
  void refer_outcome(const syntax::Name& by) {
    const size_t dot = by.text.rfind('.');
    if (dot == std::string_view::npos || by.span.file >= sources_.size()) return;
    const std::string_view text = sources_[by.span.file]->text;
    Span span = by.span;
    if (span.end > text.size() || span.begin >= span.end) return;
    if (text[span.begin] == '"' || text[span.begin] == '\'') {
      ++span.begin;
      --span.end;
    }
    // With escapes or space in it, the parts lie elsewhere.
    if (span.begin > span.end || text.substr(span.begin, span.end - span.begin) != by.text) return;
    const auto split = static_cast<uint32_t>(span.begin + dot);
    add(symbol(SymbolKind::policy, std::string(by.text.substr(0, dot))), {span.file, span.begin, split}, false);
    add(symbol(SymbolKind::rule, std::string(by.text)), {span.file, split + 1, span.end}, false);
  }

  // --- expressions

  void visit(const Expr* expr) {
    if (expr != nullptr) visit(*expr);
  }

  void visit(const Expr& expr) {
    switch (expr.kind) {
      case ExprKind::ident:
        refer_name(expr);
        break;
      case ExprKind::select:
        if (!expr.optional && is_dotted(expr)) {
          refer_name(expr);
        } else {
          visit(*expr.args[0]);
        }
        break;
      case ExprKind::call:
        visit_call(expr);
        break;
      default:
        for (const Expr* part : expr.args) visit(part);
    }
  }

  static bool is_dotted(const Expr& expr) {
    const Expr* at = &expr;
    while (at->kind == ExprKind::select && !at->optional) at = at->args[0];
    return at->kind == ExprKind::ident;
  }

  // Finds the longest beginning of a.b.c that names something.
  void refer_name(const Expr& expr) {
    std::vector<const Expr*> parts;
    for (const Expr* at = &expr;; at = at->args[0]) {
      parts.insert(parts.begin(), at);
      if (at->kind == ExprKind::ident) break;
    }
    const std::string root(parts[0]->name);
    if (!parts[0]->leading_dot && locals_.contains(root)) return;
    if (const auto fixture = fixtures_.find(root); fixture != fixtures_.end() && !parts[0]->leading_dot) {
      return add(fixture->second, name_span(*parts[0]), false);
    }
    for (size_t length = parts.size(); length > 0; --length) {
      std::string name;
      for (size_t i = 0; i < length; ++i) name += (i > 0 ? "." : "") + std::string(parts[i]->name);
      const uint32_t found = index_.find_value(parts[0]->leading_dot ? "" : package_, name);
      if (found != UINT32_MAX) return add(found, name_span(*parts[length - 1]), false);
    }
  }

  static Span name_span(const Expr& expr) {
    if (expr.kind != ExprKind::ident) return expr.at;
    const auto size = static_cast<uint32_t>(expr.name.size());
    return {expr.span.file, expr.span.end > size ? expr.span.end - size : 0, expr.span.end};
  }

  void visit_call(const Expr& expr) {
    const std::vector<std::string> names = variables_of(expr);
    if (names.empty()) {
      for (const Expr* part : expr.args) visit(part);
      return;
    }
    const bool binds = expr.name == "bind";
    visit(*expr.args[binds ? 2 : 0]);
    for (const std::string& name : names) locals_.insert(name);
    for (size_t i = binds ? 3 : 1 + names.size(); i < expr.args.size(); ++i) visit(*expr.args[i]);
    for (const std::string& name : names) locals_.erase(locals_.find(name));
  }

  // The variables that a macro introduces: l.all(x, p), l.all(i, x, p), cel.bind(x, value, e).
  static std::vector<std::string> variables_of(const Expr& expr) {
    static const std::set<std::string_view> kOne = {"all", "exists", "exists_one", "existsOne", "map", "filter"};
    static const std::set<std::string_view> kTwo = {"transformList", "transformMap", "transformMapEntry"};
    if (!expr.member || expr.args.size() < 3) return {};
    const auto variable = [&](size_t i) { return i < expr.args.size() && expr.args[i]->kind == ExprKind::ident; };
    const auto name = [&](size_t i) { return std::string(expr.args[i]->name); };
    if (expr.name == "bind") {
      const bool cel = expr.args[0]->kind == ExprKind::ident && expr.args[0]->name == "cel";
      return cel && expr.args.size() == 4 && variable(1) ? std::vector{name(1)} : std::vector<std::string>();
    }
    const bool two = kTwo.contains(expr.name) ||
                     (kOne.contains(expr.name) && expr.name != "map" && expr.name != "filter" && expr.args.size() == 4);
    if (two) return variable(1) && variable(2) ? std::vector{name(1), name(2)} : std::vector<std::string>();
    return kOne.contains(expr.name) && variable(1) ? std::vector{name(1)} : std::vector<std::string>();
  }

  SymbolIndex& index_;
  const std::vector<syntax::File>& files_;
  const std::vector<std::shared_ptr<const Source>>& sources_;
  std::string package_;
  std::map<std::string, uint32_t> fixtures_;
  std::multiset<std::string> locals_;
};

SymbolIndex::SymbolIndex(const std::vector<syntax::File>& files,
                         const std::vector<std::shared_ptr<const Source>>& sources) {
  SymbolCollector(*this, files, sources).run();
}

const Occurrence* SymbolIndex::find(uint32_t file, size_t offset) const& {
  for (const Occurrence& each : files_[file]) {
    if (each.span.begin <= offset && offset <= each.span.end) return &each;
  }
  return nullptr;
}

std::vector<Occurrence> SymbolIndex::of_symbol(uint32_t symbol) const {
  std::vector<Occurrence> out;
  for (const auto& file : files_) {
    for (const Occurrence& each : file) {
      if (each.symbol == symbol) out.push_back(each);
    }
  }
  return out;
}

// CEL's rule: a name is looked up in the package, then in those around it.
uint32_t SymbolIndex::find_value(std::string_view package, std::string_view name) const {
  for (std::string container(package);;) {
    const auto found = values_.find((container.empty() ? "" : container + ".") + std::string(name));
    if (found != values_.end()) return found->second;
    if (container.empty()) return UINT32_MAX;
    const size_t dot = container.rfind('.');
    container.resize(dot == std::string::npos ? 0 : dot);
  }
}

}  // namespace ordain::lsp
