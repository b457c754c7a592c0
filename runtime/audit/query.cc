// audit_query turns filters into SQL, and builds the indexes of sealed segments.
#include "runtime/audit/query.h"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "runtime/audit/row.h"
#include "runtime/audit/segment.h"

namespace ordain {

using namespace detail;  // NOLINT(google-build-using-namespace): our own internals

bool AuditFilter::empty() const {
  return agent.empty() && principal.empty() && tenant.empty() && capability.empty() && session.empty() &&
         action.empty() && rule.empty() && !kind && !effect && !from_ns && !to_ns;
}

bool AuditFilter::matches(const AuditRecord& record) const {
  auto fits = [](const std::string& wanted, const std::string& found) { return wanted.empty() || wanted == found; };
  return fits(agent, record.agent) && fits(principal, record.principal) && fits(tenant, record.tenant) &&
         fits(capability, record.capability) && fits(session, record.session) && fits(action, record.action) &&
         fits(rule, record.rule) && (!kind || *kind == record.kind) &&
         (!effect || (record.decided && *effect == record.effect)) && (!from_ns || record.time_ns >= *from_ns) &&
         (!to_ns || record.time_ns < *to_ns);
}

namespace detail {
namespace {

constexpr const char* kFactTable =
    "CREATE TABLE facts (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind INTEGER NOT NULL, effect INTEGER NOT NULL,"
    " agent TEXT NOT NULL, principal TEXT NOT NULL, tenant TEXT NOT NULL, capability TEXT NOT NULL,"
    " session TEXT NOT NULL, action TEXT NOT NULL, rule TEXT NOT NULL)";

constexpr std::array kIndexed = {"time", "agent", "capability", "session", "action", "rule"};

std::string index_of(const char* column) { return fmt::format("CREATE INDEX facts_{0} ON facts ({0});", column); }

Result<void> fill(sqlite::Database& database) {
  auto insert = database.prepare("INSERT INTO facts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  if (!insert.ok()) return insert.error();
  std::optional<Error> bad;
  auto result = for_records(database, 0, [&](sqlite::Statement& statement) {
    Row row;
    AuditRecord record;
    if (!read_row(statement, &row).empty() || !read_record(row, &record)) {
      bad = Error{"bad_record", fmt::format("record {} cannot be read; it is not indexed", row.id)};
      return false;
    }
    Facts facts(record);
    insert->bind(1, static_cast<int64_t>(record.id)).bind(2, facts.time).bind(3, facts.kind).bind(4, facts.effect);
    int at = 5;
    for (const auto* text : {&facts.agent, &facts.principal, &facts.tenant, &facts.capability, &facts.session,
                             &facts.action, &facts.rule}) {
      insert->bind_text(at++, *text);
    }
    if (auto written = database.write_row(*insert); !written.ok()) bad = written.error();
    return !bad;
  });
  return bad ? Result<void>(*bad) : result;
}

}  // namespace

std::string fact_schema() {
  std::string out = kFactTable;
  out += ';';
  for (const char* column : kIndexed) out += index_of(column);
  return out;
}

Facts::Facts(const AuditRecord& record)
    : time(record.time_ns),
      kind(static_cast<int64_t>(record.kind)),
      effect(record.decided ? static_cast<int64_t>(record.effect) : -1),
      agent(record.agent),
      principal(record.principal),
      tenant(record.tenant),
      capability(record.capability),
      session(record.session),
      action(record.action),
      rule(record.rule) {}

std::optional<Facts> read_facts(sqlite::Statement& statement) {
  constexpr int kNumbers = 3, kColumns = 10;
  for (int column = 0; column < kColumns; ++column) {
    if (!(column < kNumbers ? statement.is_integer(column) : statement.is_text(column))) return std::nullopt;
  }
  Facts out;
  out.time = statement.integer(0);
  out.kind = statement.integer(1);
  out.effect = statement.integer(2);
  int at = 3;
  for (auto* text : {&out.agent, &out.principal, &out.tenant, &out.capability, &out.session, &out.action, &out.rule}) {
    *text = statement.text(at++);
  }
  return out;
}

FactQuery::FactQuery(const AuditFilter& filter) {
  text("agent = ?", filter.agent);
  text("principal = ?", filter.principal);
  text("tenant = ?", filter.tenant);
  text("capability = ?", filter.capability);
  text("session = ?", filter.session);
  text("action = ?", filter.action);
  text("rule = ?", filter.rule);
  if (filter.kind) number("kind = ?", static_cast<int64_t>(*filter.kind));
  if (filter.effect) number("effect = ?", static_cast<int64_t>(*filter.effect));
  if (filter.from_ns) number("time >= ?", *filter.from_ns);
  if (filter.to_ns) number("time < ?", *filter.to_ns);
  sql_ = fmt::format("SELECT {} FROM facts f JOIN records r ON r.id = f.id WHERE {} ORDER BY f.id", kRowColumns, sql_);
}

void FactQuery::text(const char* condition, const std::string& value) {
  if (value.empty()) return;
  sql_ += sql_.empty() ? "f." : " AND f.";
  sql_ += condition;
  parameters_.push_back({value, 0, true});
}

void FactQuery::number(const char* condition, int64_t value) {
  sql_ += sql_.empty() ? "f." : " AND f.";
  sql_ += condition;
  parameters_.push_back({"", value, false});
}

void FactQuery::bind(sqlite::Statement& statement) const {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    int at = static_cast<int>(i) + 1;
    const Parameter& parameter = parameters_[i];
    parameter.is_text ? statement.bind_text(at, parameter.text) : statement.bind(at, parameter.number);
  }
}

Result<void> index_segment(const std::string& path) {
  auto database = sqlite::Database::open(path, sqlite::Database::Open::read_write, std::chrono::seconds(5));
  if (!database.ok()) return database.error();
  if (auto checked = database->check_file(segment_format()); !checked.ok()) return checked;
  sqlite::Transaction transaction(*database);
  if (auto begun = transaction.begin(); !begun.ok()) return begun;
  auto head = read_segment_head(*database, path);
  if (!head.ok()) return head.error();
  if (!head->sealed || head->indexed) return {};
  if (auto made = database->execute(kFactTable); !made.ok()) return made;
  if (auto filled = fill(*database); !filled.ok()) return filled;
  for (const char* column : kIndexed) {
    if (auto made = database->execute(index_of(column)); !made.ok()) return made;
  }
  auto mark = database->prepare("UPDATE segment SET indexed = 1");
  if (!mark.ok()) return mark.error();
  if (auto marked = database->write_row(*mark); !marked.ok()) return marked;
  return transaction.commit();
}

}  // namespace detail
}  // namespace ordain
