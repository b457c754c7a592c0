// completion.cc decides by the tokens before a place which words, names and fields fit there.
#include "lsp/completion.h"

#include <algorithm>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "lsp/hover.h"
#include "lsp/members.h"
#include "lsp/place.h"
#include "lsp/state_members.h"

namespace ordain::lsp {
namespace {

using Words = std::span<const std::string_view>;

struct Template {
  std::string_view word, snippet;
};
constexpr Template kFileTemplates[] = {
    {"package", "package ${1:name};"},
    {"import", "import ${1:name};"},
    {"option", "option ${1:order} = ${2:first_match};"},
    {"context", "context {\n  ${1|agent,principal,tenant,environment,session,resource,action,metadata|} { $0 }\n}"},
    {"capability", "capability ${1:name} {\n  input { $0 }\n}"},
    {"let", "let ${1:name} = $0;"},
    {"policy", "policy ${1:name} on ${2|before,after|} ${3:capability} {\n  $0\n}"},
    {"test",
     "test \"${1:what is shown}\" {\n  call ${2:capability} { $3 };\n  expect ${4|deny,allow,require_approval|};\n}"},
    {"history", "history ${1:name} = ${2|begun,done,failed,denied|} ${3:capability} by ${4:principal} within ${5:1h};"},
    {"rate", "rate ${1:name} = ${2:10} in ${3:1m} on ${4:capability} by ${5:principal};"},
    {"budget", "budget ${1:name} = ${2:100} by ${3:principal} each ${4:day} {\n  take ${5:1} on ${6:capability};\n}"},
    {"label", "label ${1:name};"},
};
constexpr Template kRuleTemplates[] = {
    {"deny", "deny ${1:name} when $0;"},
    {"require_approval", "require_approval ${1:name} when ${2:condition} from \"${3:group}\";"},
    {"allow", "allow ${1:name} when $0;"},
    {"redact", "redact ${1:name} ${2:input} when $0;"},
    {"warn", "warn ${1:name} when $0;"},
    {"label", ""},
    {"clear", ""},
    {"version", "version \"$1\";"},
    {"description", "description \"$1\";"},
};
constexpr std::string_view kCapabilityWords[] = {"type",   "risk", "effect", "owner", "description",
                                                 "scopes", "tags", "labels", "input", "output"};
constexpr std::string_view kRisks[] = {"none", "low", "medium", "high", "critical"};
constexpr std::string_view kEffectWords[] = {"read",       "write",        "delete",   "execute", "network",
                                             "reversible", "irreversible", "external", "internal"};
constexpr std::string_view kTypeWords[] = {"string",   "int",  "uint", "double",   "bool", "bytes", "timestamp",
                                           "duration", "list", "map",  "optional", "dyn",  "secret"};
constexpr std::string_view kTestWords[] = {"call", "expect", "let", "rows", "wait", "fails", "approve", "reject"};
constexpr std::string_view kOutcomes[] = {"deny", "require_approval", "allow", "redact", "warn", "default"};
constexpr std::string_view kClauses[] = {"when", "because", "from", "expires", "with"};
constexpr std::string_view kVerbs[] = {"begun", "done", "failed", "denied"};
constexpr std::string_view kHistoryClauses[] = {"by", "within", "when", "sum", "up"};
constexpr std::string_view kListMacros[] = {"all", "exists", "exists_one", "map", "filter"};

bool is_in(std::string_view word, Words words) { return std::find(words.begin(), words.end(), word) != words.end(); }

// Whether an operand may follow the token: after operators, opening brackets and clause words.
bool wants_operand(std::string_view last) {
  if (last.empty()) return false;
  if (is_in(last, kClauses) || last == "in" || last == "like" || last == "returns" || last == "settle" ||
      last == "take" || last == "sum" || last == "of") {
    return true;
  }
  return std::string_view("=<>!&|+-*/%?:,([").find(last[0]) != std::string_view::npos;
}

class Completer {
 public:
  Completer(const SetModel& model, uint32_t file, size_t offset)
      : model_(model), text_(model.sources()[file]->text), place_(place_at(text_, offset)) {
    package_ = std::string(model.files()[file].package.text);
  }

  Completions run() {
    out_.begin = place_.prefix_begin;
    if (place_.in_comment) return std::move(out_);
    if (place_.in_text) {
      out_.begin = place_.text_begin + 1;
      add_compared_values();
    } else if (!place_.chain.empty()) {
      after_dot();
    } else if (place_.statement.empty()) {
      add_templates(kFileTemplates);
    } else {
      in_statement();
    }
    return std::move(out_);
  }

 private:
  // --- items

  void add(Completion item) {
    if (taken_.insert(item.label).second) out_.items.push_back(std::move(item));
  }
  void add_words(Words words, CompletionKind kind = CompletionKind::keyword) {
    for (const std::string_view word : words) add({std::string(word), kind});
  }
  void add_templates(std::span<const Template> templates) {
    for (const Template& each : templates) {
      add({std::string(each.word), CompletionKind::keyword, "", "", std::string(each.snippet)});
    }
  }

  void add_symbols(SymbolKind kind, CompletionKind as) {
    for (const Symbol& symbol : model_.symbols().symbols()) {
      if (symbol.kind == kind) add({symbol.name, as});
    }
  }

  // Names with other characters are quoted where they are used.
  void add_capabilities() {
    for (const policy::CapabilityShape& shape : model_.shapes()) {
      if (shape.decl == nullptr) continue;
      const std::string_view name = shape.decl->name.text;
      const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
      });
      Completion item{plain ? std::string(name) : "\"" + std::string(name) + "\"", CompletionKind::capability};
      if (shape.decl->description) item.doc = std::string(shape.decl->description->text);
      add(std::move(item));
    }
  }

  void add_fields(Words names, std::string_view suffix = "") {
    for (const Member& field : fields_of(model_, place_, names)) {
      Completion item{field.name, CompletionKind::field, type_text(field)};
      if (field.span.file < model_.sources().size()) {
        item.doc = comment_of(model_.sources()[field.span.file]->text, field.span.begin);
      }
      if (!suffix.empty()) item.snippet = field.name + std::string(suffix);
      add(std::move(item));
    }
  }

  void add_function(const Function& function, std::string_view name, CompletionKind kind) {
    add({std::string(name), kind, function.overloads.front()->signature,
         describe_function(model_.functions(), function.name), std::string(name) + "($0)"});
  }

  void add_methods() {
    for (const auto& [name, function] : model_.functions().all()) {
      const bool member = std::any_of(function.overloads.begin(), function.overloads.end(),
                                      [](const Overload* overload) { return overload->member; });
      if (member) add_function(function, name, CompletionKind::method);
    }
    for (const std::string_view macro : kListMacros) {
      add({std::string(macro), CompletionKind::method, "macro", "", std::string(macro) + "(${1:x}, $0)"});
    }
  }

  // --- a.b.

  void after_dot() {
    const Words chain = place_.chain;
    const std::string_view last = place_.words.empty() ? std::string_view() : place_.words.back();
    const bool is_target = place_.statement == "policy" && place_.depth() == 0;
    if (is_target || last == "call") return complete_dotted(SymbolKind::capability, CompletionKind::capability);
    if (last == "by" && place_.statement == "test") return complete_dotted(SymbolKind::rule, CompletionKind::rule);
    add_fields(chain);
    if (const auto state = state_before(model_.symbols(), package_, text_, end_of_chain())) {
      return add_state_members(*state);
    }
    const std::string dotted = join(chain);
    complete_dotted(SymbolKind::let, CompletionKind::variable);
    complete_dotted(SymbolKind::state, CompletionKind::variable);
    for (const auto& [name, function] : model_.functions().all()) {
      if (name.starts_with(dotted + ".")) {
        add_function(function, std::string_view(name).substr(dotted.size() + 1), CompletionKind::function);
      }
    }
    const bool is_record = chain.size() == 1 && !describe_root(chain[0]).empty() && chain[0] != "now";
    if (!is_record) add_methods();
  }

  static std::string join(Words chain) {
    std::string out;
    for (const std::string_view each : chain) out += (out.empty() ? "" : ".") + std::string(each);
    return out;
  }

  // The rest of names that begin with what is there.
  void complete_dotted(SymbolKind kind, CompletionKind as) {
    const std::string start = join(place_.chain) + ".";
    for (const Symbol& symbol : model_.symbols().symbols()) {
      if (symbol.kind == kind && symbol.name.starts_with(start)) add({symbol.name.substr(start.size()), as});
    }
  }

  // Before the dot, or `.?`, that the word follows.
  size_t end_of_chain() const {
    const size_t end = place_.prefix_begin;
    return end > 1 && text_[end - 1] == '?' ? end - 2 : end - 1;
  }

  void add_state_members(StateKind kind) {
    for (const StateMemberHelp& member : state_members()) {
      if (member.kind != kind) continue;
      const std::string name(member.name);
      add({name, CompletionKind::field, std::string(member.type), std::string(member.text),
           member.is_called ? name + "($0)" : ""});
    }
  }

  // --- values of enumerations

  // What is compared with a field, assigned to it in a test's call, or looked for in a list of them.
  void add_compared_values() {
    std::vector<std::string_view> names = compared_names();
    if (names.empty()) return;
    for (const Member& member : find_members(model_, place_, names)) {
      for (const std::string& value : values_of(member)) {
        const bool quoted = value.size() > 1 && value.starts_with('"');
        if (place_.in_text && !quoted) continue;
        add({place_.in_text ? value.substr(1, value.size() - 2) : value, CompletionKind::value, type_text(member)});
      }
    }
  }

  // The dotted name before `==`, `!=` or `in [`; in a test's call, the field before `:`.
  std::vector<std::string_view> compared_names() const {
    const Words words = place_.words;
    size_t end = words.size();
    if (end == 0) return {};
    if (place_.statement == "test" && words[0] == "call" && place_.depth() == 2) {
      if (words[end - 1] != ":" || end < 2) return {};
      return {is_in("returns", words) ? "output" : "input", words[end - 2]};
    }
    if (place_.depth() > 0 && place_.openings.back() == "[" && place_.before.back() == "in") {
      while (end > 0 && words[end - 1] != "[") --end;
      return end > 2 ? names_before(words, end - 2) : std::vector<std::string_view>();
    }
    const bool compares = end > 2 && words[end - 1] == "=" && (words[end - 2] == "=" || words[end - 2] == "!");
    return compares ? names_before(words, end - 2) : std::vector<std::string_view>();
  }

  static std::vector<std::string_view> names_before(Words words, size_t end) {
    std::vector<std::string_view> out;
    for (bool name = true; end > 0; name = !name, --end) {
      if (name == (words[end - 1] == ".")) break;
      if (name) out.insert(out.begin(), words[end - 1]);
    }
    return out;
  }

  // --- statements

  void in_statement() {
    const std::string_view kind = place_.statement;
    if (kind == "policy") return place_.depth() == 0 ? policy_head() : policy_body();
    if (kind == "capability") return capability();
    if (kind == "context") return context();
    if (kind == "test") return test();
    if (kind == "history" || kind == "rate" || kind == "budget") return state();
    if (kind == "option") return option();
    if (kind == "let") return after_assignment();
    if (kind == "import") return add_packages();
    if (place_.words.empty() && !opens_file_statement(kind)) add_templates(kFileTemplates);
  }

  void policy_head() {
    const std::string_view last = place_.last();
    if (last == "on") return add_words(std::vector<std::string_view>{"before", "after"});
    if (last == "before" || last == "after" || last == ",") {
      add_capabilities();
      return add({"*", CompletionKind::capability, "every capability"});
    }
    if (place_.words.size() == 2) add_words(std::vector<std::string_view>{"on"});
  }

  void policy_body() {
    if (place_.words.empty()) return add_templates(kRuleTemplates);
    const std::string_view effect = place_.words[0];
    if (effect == "version" || effect == "description") return;
    const bool begun = std::any_of(place_.words.begin(), place_.words.end(),
                                   [](std::string_view word) { return is_in(word, kClauses); });
    if (begun && wants_operand(place_.last())) return expression();
    if ((effect == "label" || effect == "clear") && place_.words.size() == 1) {
      return add_symbols(SymbolKind::label, CompletionKind::value);
    }
    if (effect == "redact" && !begun && place_.words.size() < 3) {
      add_words(std::vector<std::string_view>{"input", "output"}, CompletionKind::variable);
    }
    add_clauses(effect);
    if (begun) add_words(std::vector<std::string_view>{"in"});
  }

  void add_clauses(std::string_view effect) {
    for (const std::string_view clause : kClauses) {
      const bool asks = clause == "from" || clause == "expires";
      if (asks && effect != "require_approval" && effect != "clear") continue;
      if (clause == "with" && effect != "redact") continue;
      if (!is_in(clause, place_.words)) add({std::string(clause), CompletionKind::keyword});
    }
  }

  void expression() {
    add_compared_values();
    for (const policy::Root& root : model_.roots()) {
      add({root.name, CompletionKind::variable, "", std::string(describe_root(root.name))});
    }
    for (const std::string_view root : {"input", "output"}) {
      add({std::string(root), CompletionKind::variable, "", std::string(describe_root(root))});
    }
    for (const Symbol& symbol : model_.symbols().symbols()) {
      const bool value = symbol.kind == SymbolKind::let || symbol.kind == SymbolKind::state;
      if (!value) continue;
      const std::string own = symbol.package == package_ ? std::string(bare_name(symbol.name)) : symbol.name;
      add({own, CompletionKind::variable,
           symbol.kind == SymbolKind::let ? "let" : std::string(to_string(symbol.state))});
    }
    for (const auto& [name, function] : model_.functions().all()) {
      const bool named = (name[0] >= 'a' && name[0] <= 'z') || (name[0] >= 'A' && name[0] <= 'Z');
      const bool global = std::any_of(function.overloads.begin(), function.overloads.end(),
                                      [](const Overload* overload) { return !overload->member; });
      if (named && global) add_function(function, name, CompletionKind::function);
    }
    add({"has", CompletionKind::function, "macro", "Whether an optional field is there.", "has($0)"});
    add_words(std::vector<std::string_view>{"true", "false", "null"}, CompletionKind::value);
  }

  void after_assignment() {
    if (is_in("=", place_.words) && wants_operand(place_.last())) expression();
  }

  void capability() {
    if (place_.depth() == 0) return;
    const std::string_view first = place_.words.empty() ? std::string_view() : place_.words[0];
    if (place_.depth() == 1) {
      if (first.empty()) return add_words(kCapabilityWords);
      if (first == "risk" && place_.words.size() == 1) return add_words(kRisks, CompletionKind::value);
      if (first == "effect") return add_words(kEffectWords, CompletionKind::value);
      if (first == "labels") return add_symbols(SymbolKind::label, CompletionKind::value);
      return;
    }
    const std::string_view last = place_.last();
    if (last == ":" || last == "(" || last == "|" || last == "secret") add_words(kTypeWords, CompletionKind::type);
  }

  void context() {
    if (place_.depth() == 1 && place_.words.empty()) {
      for (const policy::Root& root : model_.roots()) {
        if (root.extensible) add({root.name, CompletionKind::variable, "", std::string(describe_root(root.name))});
      }
    }
    const std::string_view last = place_.last();
    if (place_.depth() > 1 && (last == ":" || last == "(" || last == "|")) add_words(kTypeWords, CompletionKind::type);
  }

  void test() {
    if (place_.depth() == 0) return;
    if (place_.words.empty() && place_.depth() == 1) return add_words(kTestWords);
    const std::string_view last = place_.last();
    if (last == "call") return add_capabilities();
    if (last == "expect") return add_words(kOutcomes, CompletionKind::value);
    if (last == "by") return add_symbols(SymbolKind::rule, CompletionKind::rule);
    const bool in_call = !place_.words.empty() && place_.words[0] == "call";
    if (in_call && place_.depth() == 2 && (last == "{" || last == ",")) {
      const bool output = is_in("returns", place_.words);
      return add_fields(std::vector<std::string_view>{output ? "output" : "input"}, ": ");
    }
    if (in_call && place_.depth() == 1) {
      if (last == "with" || (last == "," && is_in("with", place_.words))) {
        for (const policy::Root& root : model_.roots()) add({root.name, CompletionKind::variable});
        return;
      }
      if (last != "=") add_words(std::vector<std::string_view>{"like", "returns", "with"});
    }
    if (!place_.words.empty() && place_.words[0] == "expect") add_words(std::vector<std::string_view>{"by"});
    if (wants_operand(last)) expression();
  }

  void state() {
    const std::string_view last = place_.last();
    if (place_.statement == "history" && last == "=") return add_words(kVerbs);
    if (is_in(last, kVerbs) || last == "on") return add_capabilities();
    if (last == "by") return add_words(std::vector<std::string_view>{"principal", "agent", "session", "tenant"});
    if (is_in("=", place_.head) && wants_operand(last)) return expression();
    if (place_.statement == "history" && place_.words.size() > 3) add_words(kHistoryClauses);
  }

  void option() {
    if (place_.words.size() == 1) add_words(std::vector<std::string_view>{"order", "budget", "history"});
    if (place_.last() == "=") add_words(std::vector<std::string_view>{"first_match"}, CompletionKind::value);
  }

  void add_packages() {
    for (const syntax::File& file : model_.files()) {
      if (!file.package.text.empty()) add({std::string(file.package.text), CompletionKind::module});
    }
  }

  const SetModel& model_;
  const std::string_view text_;
  const Place place_;
  std::string package_;
  std::set<std::string> taken_;
  Completions out_;
};

}  // namespace

Completions complete(const SetModel& model, uint32_t file, size_t offset) {
  return Completer(model, file, offset).run();
}

}  // namespace ordain::lsp
