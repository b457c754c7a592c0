// ordain approvals: shows the calls that wait for a human, and records the human's answer.
#include "ordain/approvals.h"

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/key_options.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "ordain/handlers.h"

namespace ordain::cli {
namespace {

struct Options : DatabaseOptions {
  std::string state;  // list
  std::string id;
  std::string approver, group, note;
};

constexpr const char* kKey = "operator.key: signs the answer; needed where the host has keys";

void print_table(const std::vector<Approval>& approvals) {
  if (approvals.empty()) {
    fmt::print("no approvals\n");
    return;
  }
  fmt::print("{:<12} {:<9} {:<26} {:<16} {:<28} {:<22} {}\n", "id", "state", "capability", "agent", "rule", "expires",
             "waits for");
  for (const Approval& approval : approvals) {
    fmt::print("{:<12} {:<9} {:<26} {:<16} {:<28} {:<22} {}\n", approval.id.substr(0, 12), to_string(approval.state),
               terminal_text(approval.capability), terminal_text(approval.agent), approval.rule,
               approval.expires_ns == 0 ? "never" : format_second(approval.expires_ns),
               approval.state == ApprovalState::pending ? fmt::format("{}", fmt::join(approval.missing(), ", ")) : "");
  }
}

Result<ApprovalStore> open(const Options& options, OpenMode mode) {
  auto keys = operator_keys(options.key, options.trust);
  if (!keys) return keys.error();
  return ApprovalStore::open(options.database, mode, std::move(*keys));
}

int list(const Options& options) {
  auto store = open(options, OpenMode::read_only);
  if (!store) return fail_on_database(store.error());
  std::optional<ApprovalState> state;
  if (!options.state.empty() && options.state != "all") state = parse_approval_state(options.state);
  auto approvals = store->list(state, system_time_ns());
  if (!approvals) return fail_on_database(approvals.error());
  if (!options.json) {
    print_table(*approvals);
    return kOk;
  }
  for (const Approval& approval : *approvals) fmt::print("{}\n", to_json(approval));
  return kOk;
}

int show(const Options& options) {
  auto store = open(options, OpenMode::read_only);
  if (!store) return fail_on_database(store.error());
  auto approval = store->show(options.id, system_time_ns());
  if (!approval) return fail_on_database(approval.error());
  fmt::print("{}\n", options.json ? to_json(*approval) : describe(*approval));
  return kOk;
}

int decide(const Options& options, bool approve) {
  auto store = open(options, OpenMode::read_write);
  if (!store) return fail_on_database(store.error());
  const std::string approver = options.approver.empty() ? user_name() : options.approver;
  auto approval = approve ? store->approve(options.id, approver, options.group, options.note, system_time_ns())
                          : store->reject(options.id, approver, options.group, options.note, system_time_ns());
  if (!approval) return fail_on_database(approval.error());
  if (options.json) {
    fmt::print("{}\n", to_json(*approval));
    return kOk;
  }
  const std::vector<std::string> missing = approval->missing();
  fmt::print(
      "{} is {}{}\n", approval->id.substr(0, 12), to_string(approval->state),
      approval->state == ApprovalState::pending ? fmt::format("; still to approve: {}", fmt::join(missing, ", ")) : "");
  return kOk;
}

}  // namespace

void add_approvals(Command parent) {
  auto options = std::make_shared<Options>();
  Command approvals = parent.add_command("approvals", "List, show, approve and reject what waits for a human");
  approvals.require_command();
  approvals.set_footer(
      "An approval serves once, for exactly the call it was asked for, until it expires.\n"
      "Exit codes: 0 done, 1 refused (unknown id, not pending, not an asked group), 2 no database or wrong usage.");

  Command lister = add_database_command(approvals, *options, kKey, "list", "What waits, oldest first");
  lister.add_option("--state", options->state, "pending, approved, rejected, expired, consumed or all")
      .one_of({"pending", "approved", "rejected", "expired", "consumed", "all"})
      .show_default("all");
  lister.set_action([options] { return list(*options); });

  Command shower = add_database_command(approvals, *options, kKey, "show", "The exact call, who asks, and why");
  shower.add_option("ID", options->id, "the approval's id, or its first digits").required();
  shower.set_action([options] { return show(*options); });

  for (const bool approve : {true, false}) {
    Command command = add_database_command(approvals, *options, kKey, approve ? "approve" : "reject",
                                           approve ? "Let the call run, once" : "Refuse the call");
    command.add_option("ID", options->id, "the approval's id, or its first digits").required();
    command.add_option("--as", options->approver, "who decides (default: your user name)");
    command.add_option("--group", options->group, "the group you decide for; needed if the rules name several");
    command.add_option("--note", options->note, "why, for the record");
    command.set_action([options, approve] { return decide(*options, approve); });
  }
}

}  // namespace ordain::cli
