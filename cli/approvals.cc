// ordain approvals: shows the calls that wait for a human, and records the human's answer.
#include "ordain/approvals.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iostream>

#include "cli/command.h"
#include "cli/key_options.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "ordain/handlers.h"

namespace ordain::cli {
namespace {

struct Options : DatabaseOptions {
  std::string state;  // list
  std::string id;
  std::string approver, group, note;
  std::string binding;  // approve
  bool yes = false;
};

constexpr const char* kKey = "operator.key: signs the answer; needed where the host has keys";

void print_table(const std::vector<Approval>& approvals) {
  if (approvals.empty()) {
    print_out("no approvals\n");
    return;
  }
  Table table({{"id", 12},
               {"state", 9},
               {"capability", 26, 14},
               {"agent", 16, 10},
               {"rule", 28, 14},
               {"expires", 22},
               {"waits for", 0, 12}});
  for (const Approval& approval : approvals) {
    table.add({approval.id.substr(0, 12), std::string(approval.altered ? "altered" : to_string(approval.state)),
               approval.capability, approval.agent, approval.rule,
               approval.expires_ns == 0 ? "never" : format_second(approval.expires_ns),
               approval.state == ApprovalState::pending ? approval.waits_for() : ""});
  }
  table.finish();
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
  for (const Approval& approval : *approvals) write_out(to_json(approval) + "\n");
  return kOk;
}

int show(const Options& options) {
  auto store = open(options, OpenMode::read_only);
  if (!store) return fail_on_database(store.error());
  auto approval = store->show(options.id, system_time_ns());
  if (!approval) return fail_on_database(approval.error());
  write_out((options.json ? to_json(*approval) : describe(*approval)) + "\n");
  return kOk;
}

int print_state(const Approval& approval, const Options& options) {
  if (options.json) {
    write_out(to_json(approval) + "\n");
    return kOk;
  }
  const bool waits = approval.state == ApprovalState::pending;
  print_out("{} is {}{}\n", approval.id.substr(0, 12), to_string(approval.state),
            waits ? "; still to approve: " + approval.waits_for() : "");
  return kOk;
}

std::string approver_of(const Options& options) { return options.approver.empty() ? user_name() : options.approver; }

/// Shows the request and asks. @returns kOk if the answer is yes.
int confirm(const Approval& approval) {
  write_error(describe(approval) + "Approve? [y/N] ");
  std::string answer;
  if (!std::getline(std::cin, answer)) {
    write_error("\n");
    complain("nobody answered; a script gives --yes and the whole id, or --binding");
    return kUsage;
  }
  if (answer == "y" || answer == "yes" || answer == "Y") return kOk;
  complain("not approved");
  return kFindings;
}

/// Checks that what will be signed is what the operator means.
int check_meant(const Options& options, const Approval& approval) {
  if (!options.binding.empty()) {
    if (options.binding == to_hex(approval.binding)) return kOk;
    complain(fmt::format("approval {} has another binding: {}", approval.id, to_hex(approval.binding)));
    return kFindings;
  }
  if (!options.yes) return confirm(approval);
  if (options.id == approval.id) return kOk;
  complain(fmt::format("--yes needs the whole id, because other requests may begin alike: {}", approval.id));
  return kUsage;
}

int approve(const Options& options) {
  auto store = open(options, OpenMode::existing);
  if (!store) return fail_on_database(store.error());
  auto shown = store->show(options.id, system_time_ns());
  if (!shown) return fail_on_database(shown.error());
  if (const int meant = check_meant(options, *shown); meant != kOk) return meant;
  auto approval = store->approve(*shown, approver_of(options), options.group, options.note, system_time_ns());
  if (!approval) return fail_on_database(approval.error());
  return print_state(*approval, options);
}

int reject(const Options& options) {
  auto store = open(options, OpenMode::existing);
  if (!store) return fail_on_database(store.error());
  auto approval = store->reject(options.id, approver_of(options), options.group, options.note, system_time_ns());
  if (!approval) return fail_on_database(approval.error());
  return print_state(*approval, options);
}

}  // namespace

void add_approvals(Command parent) {
  auto options = std::make_shared<Options>();
  Command approvals = parent.add_command("approvals", "List, show, approve and reject what waits for a human");
  approvals.require_command();
  approvals.set_footer(
      "An approval serves once, for exactly the call it was asked for, until it expires.\n"
      "Exit codes: 0 done, 1 refused (unknown id, not pending, not asked or not entitled), 2 no database or wrong "
      "usage.");

  Command lister = add_database_command(approvals, *options, kKey, "list", "What waits, oldest first");
  lister
      .add_option("--state", options->state,
                  "pending, approved, rejected, expired, consumed, earlier (left open by an earlier version) or all")
      .one_of({"pending", "approved", "rejected", "expired", "consumed", "earlier", "all"})
      .show_default("all");
  lister.set_action([options] { return list(*options); });

  Command shower = add_database_command(approvals, *options, kKey, "show", "The exact call, who asks, and why");
  shower.add_option("ID", options->id, "the approval's id, or its first digits").required();
  shower.set_action([options] { return show(*options); });

  for (const bool approves : {true, false}) {
    Command command = add_database_command(approvals, *options, kKey, approves ? "approve" : "reject",
                                           approves ? "Show the call, ask, and let it run, once" : "Refuse the call");
    command.add_option("ID", options->id, "the approval's id, or its first digits").required();
    command.add_option("--as", options->approver, "who decides (default: your user name)");
    command.add_option("--group", options->group, "the group you decide for; needed if the rules name several");
    command.add_option("--note", options->note, "why, for the record");
    if (approves) {
      Option yes = command.add_flag("--yes", options->yes, "do not ask; needs the whole id");
      command.add_option("--binding", options->binding, "do not ask; approve only a request with this binding")
          .excludes(yes);
    }
    command.set_action([options, approves] { return approves ? approve(*options) : reject(*options); });
  }
}

}  // namespace ordain::cli
