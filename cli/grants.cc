// ordain grants: creates, lists and revokes the standing approvals of an operator.
#include "ordain/grants.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "cli/command.h"
#include "cli/key_options.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "ordain/approvals.h"
#include "ordain/keys.h"

namespace ordain::cli {
namespace {

struct Options : DatabaseOptions {
  std::string id, by, note;
  std::string lasts = "1h";
  Grant grant;
};

constexpr const char* kKey = "operator.key; needed to create grants where the host has keys";

// Reads "90s", "30m", "8h" or "7d" as nanoseconds.
Result<int64_t> parse_span(const std::string& text) {
  int64_t number = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  int64_t seconds = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : unit == "d" ? 86400 : 0;
  if (failed != std::errc() || seconds == 0 || number <= 0 || number > 100 * 365 * 86400LL / seconds) {
    return Error{"bad_span", fmt::format("--for {}: expected a number and s, m, h or d, such as 8h", text)};
  }
  return number * seconds * 1'000'000'000;
}

int print(const Grant& grant, const Options& options) {
  if (options.json) {
    write_out(to_json(grant) + "\n");
  } else {
    print_out("{} is {}\n", grant.id, to_string(grant.state));
  }
  return kOk;
}

int create(Options options) {
  auto span = parse_span(options.lasts);
  if (!span) return fail(span.error());
  auto keys = operator_keys(options.key, options.trust);
  if (!keys) return fail_on_database(keys.error());
  auto store = ApprovalStore::open(options.database, OpenMode::existing, *keys);
  if (!store) return fail_on_database(store.error());
  options.grant.until_ns = std::max(system_time_ns(), options.grant.from_ns) + *span;
  options.grant.granted_by = options.by.empty() ? user_name() : options.by;
  options.grant.note = options.note;
  auto made = store->create_grant(options.grant, system_time_ns());
  if (!made) return fail_on_database(made.error());
  return print(*made, options);
}

std::string covers(const Grant& grant) {
  std::string out = grant.capability;
  auto add = [&](std::string_view name, const std::string& text) {
    if (!text.empty()) out += fmt::format(" {}={}", name, text);
  };
  add("scope", grant.scope);
  add("agent", grant.agent);
  add("principal", grant.principal);
  add("tenant", grant.tenant);
  add("environment", grant.environment);
  add("session", grant.session);
  return out;
}

int list(const Options& options) {
  auto keys = operator_keys(options.key, options.trust);
  if (!keys) return fail_on_database(keys.error());
  auto store = ApprovalStore::open(options.database, OpenMode::read_only, *keys);
  if (!store) return fail_on_database(store.error());
  auto grants = store->grants(system_time_ns());
  if (!grants) return fail_on_database(grants.error());
  if (options.json) {
    for (const Grant& grant : *grants) write_out(to_json(grant) + "\n");
    return kOk;
  }
  if (grants->empty()) print_out("no grants\n");
  for (const Grant& grant : *grants) {
    print_out("{:<12} {:<9} until {}  by {}  {}\n", grant.id.substr(0, 12), to_string(grant.state),
              format_second(grant.until_ns), grant.granted_by, covers(grant));
  }
  return kOk;
}

int revoke(const Options& options) {
  auto keys = operator_keys(options.key, options.trust);
  if (!keys) return fail_on_database(keys.error());
  auto store = ApprovalStore::open(options.database, OpenMode::existing, *keys);
  if (!store) return fail_on_database(store.error());
  auto revoked =
      store->revoke_grant(options.id, options.by.empty() ? user_name() : options.by, options.note, system_time_ns());
  if (!revoked) return fail_on_database(revoked.error());
  return print(*revoked, options);
}

}  // namespace

void add_grants(Command parent) {
  auto options = std::make_shared<Options>();
  Command grants = parent.add_command("grants", "Let calls that would need approval run for a time");
  grants.require_command();
  grants.set_footer(
      "A grant lifts require_approval for the calls it covers, until it ends or is revoked. It never lifts a deny.\n"
      "Exit codes: 0 done, 1 refused (unknown id, already revoked, a bad grant), 2 no database, a bad key, wrong "
      "usage.");

  Command maker = add_database_command(grants, *options, kKey, "create", "Make one; what is not given covers all");
  maker.add_option("--capability", options->grant.capability, "a name, or a glob such as payments.*").show_default();
  maker.add_option("--scope", options->grant.scope, "only capabilities that declare this scope");
  maker.add_option("--agent", options->grant.agent, "only calls of this agent");
  maker.add_option("--principal", options->grant.principal, "only for this principal");
  maker.add_option("--tenant", options->grant.tenant, "only for this tenant");
  maker.add_option("--environment", options->grant.environment, "only in this environment");
  maker.add_option("--session", options->grant.session, "only in this session");
  maker.add_option("--for", options->lasts, "how long: 90s, 30m, 8h, 7d").show_default();
  maker.add_option("--as", options->by, "who grants (default: your user name)");
  maker.add_option("--note", options->note, "why");
  maker.set_action([options] { return create(*options); });

  Command lister = add_database_command(grants, *options, kKey, "list", "All of them, oldest first");
  lister.set_action([options] { return list(*options); });

  Command revoker = add_database_command(grants, *options, kKey, "revoke", "Take one back, at once");
  revoker.add_option("ID", options->id, "the grant's id, or its first digits").required();
  revoker.add_option("--as", options->by, "who revokes (default: your user name)");
  revoker.add_option("--note", options->note, "why");
  revoker.set_action([options] { return revoke(*options); });
}

}  // namespace ordain::cli
