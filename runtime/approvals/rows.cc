// approval_rows reads and writes approvals as rows, and writes them as JSON.
#include "runtime/approvals/rows.h"

#include <algorithm>
#include <array>
#include <limits>

#include "ordain/identity.h"
#include "ordain/json.h"
#include "runtime/approvals/signing.h"
#include "runtime/audit/json_line.h"

namespace ordain {

using namespace detail;  // NOLINT(google-build-using-namespace): our own internals

namespace {

using sqlite::Statement;

constexpr std::array<std::string_view, 6> kStates = {"pending", "approved", "rejected",
                                                     "expired", "consumed", "from an earlier version"};

std::vector<std::string> read_list(std::string_view json) {
  std::vector<std::string> out;
  Arena arena;
  auto parsed = parse_json(arena, json);
  if (!parsed.ok() || !parsed->is(Kind::list)) return out;
  for (const Value& item : parsed->as_list()) {
    if (item.is(Kind::string)) out.emplace_back(item.as_text());
  }
  return out;
}

template <typename Number>
bool read_count(const MapRep& map, std::string_view key, int64_t least, Number* out) {
  const Value* value = map_find(map, key);
  if (value == nullptr || !value->is(Kind::integer) || value->i < least) return false;
  if (static_cast<uint64_t>(value->i) > std::numeric_limits<Number>::max()) return false;
  *out = static_cast<Number>(value->i);
  return true;
}

/// Reads what asking_json wrote. Anything else becomes an empty list, and the request does not match its id.
std::vector<AskingRule> read_asking(std::string_view json) {
  std::vector<AskingRule> out;
  Arena arena;
  auto parsed = parse_json(arena, json);
  if (!parsed.ok() || !parsed->is(Kind::list)) return out;
  for (const Value& item : parsed->as_list()) {
    if (!item.is(Kind::map)) return {};
    AskingRule& rule = out.emplace_back();
    const Value* name = map_find(*item.map, "rule");
    const Value* from = map_find(*item.map, "from");
    if (name == nullptr || !name->is(Kind::string) || from == nullptr || !from->is(Kind::list)) return {};
    rule.rule = name->as_text();
    for (const Value& group : from->as_list()) {
      if (!group.is(Kind::string)) return {};
      rule.from.emplace_back(group.as_text());
    }
    if (!read_count(*item.map, "need", 0, &rule.need)) return {};
    const Value* expires = map_find(*item.map, "expires_seconds");
    if (expires == nullptr) return {};
    if (!expires->is(Kind::null) && !read_count(*item.map, "expires_seconds", 1, &rule.expires_seconds)) return {};
    const Value* distinct = map_find(*item.map, "distinct");
    if (distinct != nullptr && !distinct->is(Kind::boolean)) return {};
    rule.distinct = distinct == nullptr || distinct->as_bool();
  }
  return out;
}

Approval read_row(Statement& row, int64_t now_ns) {
  Approval out;
  out.id = row.text(0);
  out.state = static_cast<ApprovalState>(std::clamp<int64_t>(row.integer(1), 0, 5));
  std::string* const texts[] = {&out.capability, &out.input,       &out.resource, &out.agent, &out.principal,
                                &out.tenant,     &out.environment, &out.session,  &out.rule,  &out.reason};
  int column = 2;
  for (std::string* text : texts) *text = row.text(column++);
  out.rules = read_list(row.text(12));
  out.asking = read_asking(row.text(13));
  out.action = row.text(14);
  out.created_ns = row.integer(15);
  out.expires_ns = row.integer(16);
  out.consumed_ns = row.integer(17);
  out.consumed_by = row.text(18);
  out.outcome = row.text(19);
  if (std::string_view binding = row.blob(20); binding.size() == out.binding.size()) {
    std::copy(binding.begin(), binding.end(), out.binding.begin());
  }
  out.recorded = static_cast<uint64_t>(row.integer(21));
  Nonce nonce{};
  std::string_view given = row.blob(22);
  if (given.size() == nonce.size()) std::copy(given.begin(), given.end(), nonce.begin());
  out.content = content_digest(out, nonce);
  bool open = out.state == ApprovalState::pending || out.state == ApprovalState::approved;
  // Requests of an earlier version have no nonce, their ids were random, and none of them is open.
  const bool earlier = given.empty() && !open;
  out.altered = !earlier && out.id != id_of(out.content);
  if (open && out.expires_ns <= now_ns) out.state = ApprovalState::expired;
  return out;
}

Result<void> read_votes(sqlite::Database& database, const OperatorKeys& keys, Approval& approval) {
  auto votes = database.prepare(
      "SELECT approves, grp, approver, note, time, key, signature FROM votes WHERE approval = ?1 ORDER BY number");
  if (!votes.ok()) return votes.error();
  votes->bind_text(1, approval.id);
  for (;;) {
    auto step = votes->step();
    if (step == Statement::Step::failed) return database.error();
    if (step == Statement::Step::done) return {};
    ApprovalVote vote{std::string(votes->text(1)), std::string(votes->text(2)), std::string(votes->text(3)),
                      votes->integer(0) != 0, votes->integer(4)};
    const RowSignature signature{votes->integer(5), std::string(votes->blob(6))};
    vote.signed_by = signer(keys, vote_bytes(approval, vote), signature);
    if (!vote.signed_by.empty()) vote.key = static_cast<uint32_t>(signature.key);
    vote.counts = keys.empty() || !vote.signed_by.empty();
    approval.votes.push_back(std::move(vote));
  }
}

std::string votes_json(const Approval& approval) {
  std::string out = "[";
  for (const auto& vote : approval.votes) {
    JsonLine line;
    line.raw("approve", vote.approve ? "true" : "false").text("group", vote.group).text("approver", vote.approver);
    line.text("note", vote.note).text("time", format_time(vote.time_ns)).text("signed_by", vote.signed_by);
    if (out.size() > 1) out += ',';
    out += line.done();
  }
  return out + "]";
}

std::string time_json(int64_t time_ns) { return time_ns == 0 ? "null" : '"' + format_time(time_ns) + '"'; }

}  // namespace

std::string_view to_string(ApprovalState state) { return kStates[static_cast<size_t>(state)]; }

std::optional<ApprovalState> parse_approval_state(std::string_view name) {
  if (name == "earlier") return ApprovalState::earlier;
  auto found = std::find(kStates.begin(), kStates.end(), name);
  if (found == kStates.end()) return std::nullopt;
  return static_cast<ApprovalState>(found - kStates.begin());
}

std::string to_json(const Approval& approval) {
  JsonLine line;
  line.text("id", approval.id).text("state", to_string(approval.state)).text("capability", approval.capability);
  line.stored_json("input", approval.input).stored_json("resource", approval.resource);
  line.text("agent", approval.agent).text("principal", approval.principal).text("tenant", approval.tenant);
  line.text("environment", approval.environment).text("session", approval.session);
  line.text("rule", approval.rule).text("reason", approval.reason).texts("rules", approval.rules);
  line.texts("groups", approval.groups()).raw("approvals", asking_json(approval.asking));
  line.texts("missing", approval.missing()).raw("votes", votes_json(approval));
  line.text("action", approval.action).raw("created", time_json(approval.created_ns));
  line.raw("expires", time_json(approval.expires_ns)).raw("consumed", time_json(approval.consumed_ns));
  line.text("consumed_by", approval.consumed_by).text("outcome", approval.outcome);
  line.text("binding", to_hex(approval.binding)).raw("altered", approval.altered ? "true" : "false");
  return line.done();
}

namespace detail {

Result<std::vector<Approval>> read_approvals(sqlite::Database& database, const OperatorKeys& keys,
                                             const std::string& tail, const std::vector<std::string_view>& texts,
                                             int64_t now_ns) {
  auto rows = database.prepare(
      "SELECT id, state, capability, input, resource, agent, principal, tenant, environment, session, rule, reason, "
      "rules, asking, "
      "action, created, expires, consumed, consumed_by, outcome, binding, recorded, nonce FROM "
      "approvals " +
      tail);
  if (!rows.ok()) return rows.error();
  int parameter = 1;
  for (std::string_view text : texts) rows->bind_text(parameter++, text);
  std::vector<Approval> out;
  for (;;) {
    auto step = rows->step();
    if (step == Statement::Step::failed) return database.error();
    if (step == Statement::Step::done) break;
    out.push_back(read_row(*rows, now_ns));
  }
  for (Approval& approval : out) {
    if (auto votes = read_votes(database, keys, approval); !votes.ok()) return votes.error();
  }
  return out;
}

Result<std::string> insert_approval(sqlite::Database& database, const ApprovalRequest& request) {
  Approval approval;
  approval.binding = request.binding;
  approval.capability = request.capability;
  approval.input = request.input;
  approval.resource = request.resource;
  approval.agent = request.agent;
  approval.principal = request.principal;
  approval.tenant = request.tenant;
  approval.environment = request.environment;
  approval.session = request.session;
  approval.rule = request.rule;
  approval.reason = request.reason;
  approval.rules = request.rules;
  approval.asking = request.asking;
  approval.action = request.action;
  approval.created_ns = request.now_ns;
  approval.expires_ns = request.expires_ns;
  approval.recorded = request.recorded;
  const Nonce nonce = Id128::random().bytes;
  approval.id = id_of(content_digest(approval, nonce));
  auto row = database.prepare(
      "INSERT INTO approvals (id, binding, state, capability, input, resource, agent, principal, tenant, environment, "
      "session, rule, reason, rules, asking, action, created, expires, recorded, nonce) "
      "VALUES (?,?,0,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  if (!row.ok()) return row.error();
  std::string rules = JsonLine::list(approval.rules), asking = asking_json(approval.asking);
  row->bind_text(1, approval.id).bind_blob(2, approval.binding.data(), approval.binding.size());
  const std::string* const texts[] = {&approval.capability,
                                      &approval.input,
                                      &approval.resource,
                                      &approval.agent,
                                      &approval.principal,
                                      &approval.tenant,
                                      &approval.environment,
                                      &approval.session,
                                      &approval.rule,
                                      &approval.reason,
                                      &rules,
                                      &asking,
                                      &approval.action};
  int parameter = 3;
  for (const std::string* text : texts) row->bind_text(parameter++, *text);
  row->bind(parameter, approval.created_ns).bind(parameter + 1, approval.expires_ns);
  row->bind(parameter + 2, static_cast<int64_t>(approval.recorded));
  row->bind_blob(parameter + 3, nonce.data(), nonce.size());
  if (auto written = database.write_row(*row); !written.ok()) return written.error();
  return approval.id;
}

}  // namespace detail
}  // namespace ordain
