// Compiles the expressions of a mapping, and evaluates them to the parts of an event.
#include "server/authzen_mapping.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "compiler/check/expression/check_expression.h"
#include "compiler/emit/emit.h"
#include "compiler/fold/fold.h"
#include "compiler/parse/parse.h"
#include "ordain/evaluate.h"
#include "ordain/json.h"
#include "ordain/stdlib.h"
#include "ordain/type.h"
#include "server/json_object.h"
#include "vm/program/linked_program.h"

namespace ordain::server {
namespace {

constexpr std::string_view kDefaultTable = R"(capability     = action.name
agent          = subject.type == "agent" ? subject.properties : null
agent.id       = subject.type == "agent" ? subject.id : null
principal      = subject.type == "agent" ? null : subject.properties
principal.id   = subject.type == "agent" ? null : subject.id
resource       = resource.properties
resource.type  = resource.type
resource.id    = resource.id
input          = action.properties
metadata       = context
)";

/// Keys whose value is a whole record, and which may have attributes behind a dot.
constexpr std::array<std::string_view, 7> kRecords = {"agent",   "principal", "tenant", "environment",
                                                      "session", "resource",  "action"};
/// Keys without attributes.
constexpr std::array<std::string_view, 4> kWholes = {"capability", "input", "metadata", "risk"};

template <typename Names>
bool contains_name(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_attribute_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool is_key(std::string_view key) {
  const size_t dot = key.find('.');
  if (dot == std::string_view::npos) return contains_name(kRecords, key) || contains_name(kWholes, key);
  return contains_name(kRecords, key.substr(0, dot)) && is_attribute_name(key.substr(dot + 1));
}

std::string_view trim_blanks_of(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

Error bad_mapping(std::string message) { return Error{"bad_mapping", std::move(message)}; }

constexpr std::array<std::string_view, 4> kVariables = {"subject", "action", "resource", "context"};

Result<std::shared_ptr<const Program>> compile_mapping(const std::string& expression, const std::string& place) {
  Arena arena;
  Diagnostics diagnostics;
  diagnostics.sources.push_back(std::make_shared<Source>(Source{place, expression}));
  ExpressionEnv environment;
  for (const std::string_view name : kVariables) {
    environment.variables.push_back({std::string(name), &types::kDyn});
  }
  const syntax::Expr* parsed = parse_expression(arena, diagnostics, 0);
  if (parsed == nullptr || diagnostics.has_errors()) return bad_mapping(render(diagnostics));
  CheckedExpression checked = check_expression(arena, diagnostics, *parsed, environment, standard_library());
  if (diagnostics.has_errors()) return bad_mapping(render(diagnostics));
  fold(arena, checked.expression);
  auto program = link_program(emit(checked.expression, checked.schema, diagnostics), standard_library());
  if (!program) return bad_mapping(place + ": " + program.error().message);
  return *program;
}

struct MappingRow {
  std::string key;
  std::shared_ptr<const Program> program;
};

/// Evaluates rows on one request.
class MappingRun {
 public:
  explicit MappingRun(const AuthzenRequest& request) : request_(request) {}

  Result<Document> evaluate_row(const MappingRow& row) {
    Call call(row.program);
    const Context context(row.program);
    call.begin(row.program->resolve(""), Stage::before);
    const Value* values[] = {&request_.subject, &request_.action, &request_.resource, &request_.context};
    const auto& slots = row.program->schema().slots;
    for (size_t i = 0; i < kVariables.size(); ++i) {
      for (SlotId slot = 0; slot < slots.size(); ++slot) {
        if (slots[slot].path == kVariables[i]) call.set(call.program().slot(slot), *values[i]);
      }
    }
    Value value;
    Fault fault;
    if (!ordain::evaluate(*row.program, 0, call, context, scratch_, {}, &value, &fault)) {
      return bad_mapping(fmt::format("the mapping of `{}` cannot be evaluated: {}", row.key, fault_message(fault)));
    }
    return Document::copy_of(value);
  }

 private:
  const AuthzenRequest& request_;
  Scratch scratch_;
};

/// A record that several rows fill: a whole map, and attributes that replace its own.
struct MappedRecord {
  std::vector<std::pair<std::string, std::string>> members;  ///< name and JSON

  void set(std::string_view name, std::string json) {
    for (auto& [known, value] : members) {
      if (known != name) continue;
      value = std::move(json);
      return;
    }
    members.emplace_back(name, std::move(json));
  }
  std::string json() const {
    JsonObject out;
    for (const auto& [name, value] : members) out.raw(name, value);
    return out.close();
  }
};

}  // namespace

struct AuthzenMapping::Table {
  std::vector<MappingRow> rows;  ///< whole records before their attributes
};

std::string_view AuthzenMapping::default_text() { return kDefaultTable; }

AuthzenMapping::AuthzenMapping() {
  static const AuthzenMapping kDefault = *parse("", "the default mapping");
  table_ = kDefault.table_;
}

namespace {

/// The expressions of a table by their keys. @returns error "bad_mapping"
Result<std::map<std::string, std::pair<std::string, size_t>>> read_table(std::string_view text,
                                                                         const std::string& name) {
  std::map<std::string, std::pair<std::string, size_t>> out;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim_blanks_of(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    const size_t equals = line.find('=');
    const std::string_view key = trim_blanks_of(line.substr(0, std::min(equals, line.size())));
    if (equals == std::string_view::npos || !is_key(key)) {
      return bad_mapping(
          fmt::format("{}:{}: expected `KEY = EXPRESSION` with one of the keys capability, input, "
                      "metadata, risk, agent, principal, tenant, environment, session, resource, "
                      "action, or an attribute of a record such as agent.id",
                      name, number));
    }
    const bool added =
        out.emplace(std::string(key), std::pair(std::string(trim_blanks_of(line.substr(equals + 1))), number)).second;
    if (!added) return bad_mapping(fmt::format("{}:{}: `{}` stands on an earlier line too", name, number, key));
  }
  return out;
}

}  // namespace

Result<AuthzenMapping> AuthzenMapping::parse(std::string_view text, const std::string& name) {
  auto rows = read_table(kDefaultTable, "the default mapping");
  if (!rows) return rows.error();
  auto given = read_table(text, name);
  if (!given) return given.error();
  auto table = std::make_shared<Table>();
  for (auto& [key, row] : *given) (*rows)[key] = row;
  for (const auto& [key, row] : *rows) {  // sorted, so a record comes before its attributes
    auto program = compile_mapping(row.first, fmt::format("{}:{}: {}", name, row.second, key));
    if (!program) return program.error();
    table->rows.push_back({key, std::move(*program)});
  }
  AuthzenMapping out{std::shared_ptr<const Table>(std::move(table))};
  return out;
}

AuthzenMapping::AuthzenMapping(std::shared_ptr<const Table> table) : table_(std::move(table)) {}

Result<MappedEvent> AuthzenMapping::apply(const AuthzenRequest& request) const {
  MappingRun run(request);
  MappedEvent out;
  std::map<std::string, MappedRecord, std::less<>> records;
  JsonObject host;
  for (const MappingRow& row : table_->rows) {
    const Result<Document> evaluated = run.evaluate_row(row);
    if (!evaluated) return evaluated.error();
    const Value& value = evaluated->root();
    if (value.is(Kind::null)) continue;
    const size_t dot = row.key.find('.');
    if (row.key == "capability") {
      if (!value.is(Kind::string)) return bad_mapping("the mapping of `capability` must give a string");
      out.capability = value.as_text();
    } else if (row.key == "input") {
      out.input = to_json(value);
    } else if (row.key == "metadata") {
      out.metadata = to_json(value);
    } else if (row.key == "risk") {
      host.raw("risk", to_json(value));
    } else if (dot != std::string::npos) {
      records[row.key.substr(0, dot)].set(row.key.substr(dot + 1), to_json(value));
    } else {
      if (!value.is(Kind::map)) return bad_mapping(fmt::format("the mapping of `{}` must give a map", row.key));
      MappedRecord& record = records[row.key];
      for (const MapEntry& entry : value.map->all()) {
        if (!entry.key.is(Kind::string)) return bad_mapping(fmt::format("`{}` must have names as keys", row.key));
        record.set(entry.key.as_text(), to_json(entry.value));
      }
    }
  }
  if (out.capability.empty()) return bad_mapping("the mapping gives no capability");
  if (out.input.empty()) out.input = "{}";
  for (const auto& [name, record] : records) host.raw(name, record.json());
  out.host = host.close();
  return out;
}

}  // namespace ordain::server
