// freezes.cc stops and lifts for operators: it changes the file of a directory and records the act.
#include "ordain/freeze.h"
#include "ordain/time_text.h"
#include "runtime/audit/act.h"
#include "runtime/audit/json_line.h"
#include "runtime/sqlite/sqlite.h"
#include "runtime/state/freeze_act.h"
#include "runtime/state/freeze_file.h"

namespace ordain {
namespace {

/// A freeze in a directory that no runtime uses would stop nothing, so a wrong name must not pass.
Result<void> expect_database(const std::string& directory) {
  for (const char* file : {"audit.db", "approvals.db"}) {
    if (sqlite::file_exists(sqlite::path_in(directory, file))) return {};
  }
  return Error{"no_database", directory + ": there is no database of a runtime"};
}

}  // namespace

std::string to_json(const Freeze& freeze) {
  return detail::JsonLine()
      .text("capability", freeze.capability)
      .text("agent", freeze.agent)
      .text("because", freeze.because)
      .text("by", freeze.by)
      .text("since", format_time(freeze.since_ns))
      .done();
}

Result<void> freeze_calls(const std::string& directory, const Freeze& freeze) {
  if (auto found = expect_database(directory); !found.ok()) return found;
  Freeze made = freeze;
  if (made.since_ns == 0) made.since_ns = system_time_ns();
  if (const std::string problem = state::freeze_problem(made); !problem.empty())
    return Error{"invalid_freeze", problem};
  auto changed =
      state::change_freezes(directory, [&](std::vector<Freeze>& all) { return state::put_freeze(all, made); });
  if (!changed.ok()) return changed;
  auto recorded = detail::record_act(directory, state::act_of(made));
  if (recorded.ok()) return recorded;
  return Error{"audit_unavailable",
               "the calls are frozen, but that could not be recorded: " + recorded.error().message};
}

Result<void> thaw_calls(const std::string& directory, const Thaw& thaw) {
  if (auto found = expect_database(directory); !found.ok()) return found;
  if (const std::string problem = state::thaw_problem(thaw); !problem.empty()) return Error{"invalid_freeze", problem};
  return state::change_freezes(directory, [&](std::vector<Freeze>& all) -> Result<void> {
    if (auto taken = state::take_freeze(all, thaw); !taken.ok()) return taken;
    return detail::record_act(directory, state::act_of(thaw, system_time_ns()));
  });
}

Result<std::vector<Freeze>> list_freezes(const std::string& directory) {
  if (auto found = expect_database(directory); !found.ok()) return found.error();
  return state::read_freezes(directory);
}

}  // namespace ordain
