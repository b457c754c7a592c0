// ordain audit tail, query, count, export and verify: shows the audit log, and checks that it is intact.
#include "ordain/audit.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "cli/audit_commands.h"
#include "cli/audit_filter.h"
#include "cli/key_options.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "ordain/approvals.h"

namespace ordain::cli {
namespace {

struct Options {
  std::string database;
  size_t count = 20;
  std::string output;
  bool json = false;
  FilterOptions filter;
  std::vector<std::string> keys;
  std::string checkpoints;
  uint64_t unsigned_tail = 0;
};

// What is shown of a log is not verified. Rows that Ordain cannot have written are a reason to do that.
void warn_of_stray_ids(const AuditLog& log) {
  const Result<bool> stray = log.has_stray_ids();
  if (stray && *stray) {
    complain("warning: the log holds records whose ids do not belong to it; run `ordain audit verify`");
  }
}

// What the record says happened, in a few words.
std::string happened(const AuditRecord& record) {
  if (record.kind == RecordKind::outcome) return std::string(to_string(record.status));
  if (record.kind == RecordKind::lost) return fmt::format("{} records lost", record.lost.size());
  if (record.kind == RecordKind::act) return record.type;
  // The effect is that of the rules, and the runtime may have denied apart from them.
  if (record.kind == RecordKind::denied && record.effect == Effect::allow) return std::string(to_string(Effect::deny));
  return fmt::format("{}{}", record.observed ? "would_" : "", to_string(record.effect));
}

Table record_table() {
  return Table({{"id", 6, 0, true},
                {"time", 24},
                {"kind", 8},
                {"what", 18},
                {"capability", 28, 14},
                {"agent", 14, 10},
                {"rule", 28, 14},
                {"reason", 0, 30}});
}

void add_record(const AuditRecord& record, Table& table) {
  table.add({std::to_string(record.id), format_time(record.time_ns / 1'000'000 * 1'000'000),
             std::string(to_string(record.kind)), happened(record), record.capability, record.agent,
             record.rule.empty() ? (record.cause.empty() ? "-" : record.cause) : record.rule,
             record.error.empty() ? record.reason : record.error});
}

void print_json_line(const AuditRecord& record) { write_out(to_json(record) + "\n"); }

int tail(const Options& options) {
  auto log = AuditLog::open(options.database);
  if (!log) return fail(log.error());
  auto records = log->tail(options.count);
  if (!records) return fail(records.error());
  warn_of_stray_ids(*log);
  if (options.json) {
    for (const AuditRecord& record : *records) print_json_line(record);
    return kOk;
  }
  Table table = record_table();
  for (const AuditRecord& record : *records) add_record(record, table);
  table.finish();
  return kOk;
}

int query(const Options& options) {
  auto filter = read_filter(options.filter);
  if (!filter) return fail(filter.error());
  auto log = AuditLog::open(options.database);
  if (!log) return fail(log.error());
  Table table = record_table();
  size_t shown = 0;
  auto result = log->query(*filter, [&](const AuditRecord& record) {
    if (shown++ == options.count) return false;
    options.json ? print_json_line(record) : add_record(record, table);
    return true;
  });
  if (!options.json) table.finish();
  if (!result) return fail(result.error());
  warn_of_stray_ids(*log);
  if (shown > options.count) print_error("there are more records; -n shows more than {}\n", options.count);
  return kOk;
}

int count(const Options& options) {
  auto filter = read_filter(options.filter);
  if (!filter) return fail(filter.error());
  auto log = AuditLog::open(options.database);
  if (!log) return fail(log.error());
  auto found = log->count(*filter);
  if (!found) return fail(found.error());
  warn_of_stray_ids(*log);
  print_out("{}\n", *found);
  return kOk;
}

void print_json(const AuditVerification& found) {
  std::string problem;
  append_json_string(problem, found.problem);
  write_out(fmt::format(
      "{{\"ok\": {}, \"records\": {}, \"chains\": {}, \"first\": {}, \"segments\": {}, \"checkpoints\": {}, "
      "\"signed_upto\": {}, \"bad_record\": {}, \"problem\": {}}}\n",
      found.ok, found.records, found.chains, found.first, found.segments, found.checkpoints, found.signed_upto,
      found.ok ? "null" : fmt::format("{}", found.bad_record), found.ok ? "null" : problem));
}

void print_text(const AuditVerification& found, bool keys) {
  if (!found.ok) {
    print_out("record {}: {}\n{} records before it are intact\n", found.bad_record, found.problem, found.records);
    return;
  }
  print_out("{} records in {} chain{}: intact\n", found.records, found.chains, found.chains == 1 ? "" : "s");
  if (found.first > 1) print_out("records 1 to {} were removed\n", found.first - 1);
  if (found.checkpoints == 0) {
    print_out("no checkpoints: a log that was cut, emptied or made again as a whole would look the same\n");
  } else {
    print_out("{} checkpoint{} match{}, up to record {}; signatures {}\n", found.checkpoints,
              found.checkpoints == 1 ? "" : "s", found.checkpoints == 1 ? "es" : "", found.signed_upto,
              keys ? "good" : "not checked (no --key)");
  }
}

/// A file that is damaged, or holds what Ordain did not make, is not an intact log.
int fail_to_verify(const Error& error) { return fail(error, error.code == "database_corrupt" ? kFindings : kUsage); }

int verify(const Options& options) {
  VerifyOptions how;
  auto keys = read_public_keys(options.keys);
  if (!keys) return fail(keys.error());
  how.keys = *keys;
  how.unsigned_tail = options.unsigned_tail;
  if (!options.checkpoints.empty()) {
    auto notes = read_checkpoints(options.checkpoints);
    if (!notes) return fail(notes.error());
    if (notes->empty()) return fail({"bad_note", options.checkpoints + ": holds no checkpoint"});
    how.checkpoints = *notes;
  }
  auto log = AuditLog::open(options.database);
  if (!log) return fail_to_verify(log.error());
  auto found = log->verify(how);
  if (!found) return fail_to_verify(found.error());
  options.json ? print_json(*found) : print_text(*found, !how.keys.empty());
  return found->ok ? kOk : kFindings;
}

int export_log(const Options& options) {
  auto filter = read_filter(options.filter);
  if (!filter) return fail(filter.error());
  auto log = AuditLog::open(options.database);
  if (!log) return fail(log.error());
  std::ofstream file;
  if (!options.output.empty()) {
    file.open(options.output, std::ios::binary | std::ios::trunc);
    if (!file) return fail({"unwritable", fmt::format("cannot write {}: {}", options.output, std::strerror(errno))});
  }
  bool good = true;
  auto line = [&](std::string_view text) {
    good = options.output.empty() ? try_write(text) && try_write("\n") : (file << text << '\n').good();
    return good;
  };
  auto written = log->export_jsonl(line, *filter);
  if (!written) return fail(written.error());
  if (options.output.empty()) {
    if (!good) throw OutputFailure();
    return kOk;
  }
  if (good) file.close();
  if (!good || !file) {
    return fail(
        {"unwritable", fmt::format("cannot write all records to {}: {}", options.output, std::strerror(errno))});
  }
  print_error("{} records written to {}\n", *written, options.output);
  return kOk;
}

Command add(Command audit, const char* name, const char* about, const std::shared_ptr<Options>& options) {
  Command command = audit.add_command(name, about);
  add_database_option(command, options->database);
  return command;
}

void add_readers(Command audit, const std::shared_ptr<Options>& options) {
  Command tailer = add(audit, "tail", "The last records, oldest first", options);
  tailer.add_option("-n,--count", options->count, "how many").show_default();
  tailer.add_flag("--json", options->json, "print one JSON object a line");
  tailer.set_action([options] { return tail(*options); });

  Command finder = add(audit, "query", "The first records that match, oldest first", options);
  finder.add_option("-n,--count", options->count, "how many").show_default();
  finder.add_flag("--json", options->json, "print one JSON object a line");
  add_filter(finder, options->filter);
  finder.set_action([options] { return query(*options); });

  Command counter = add(audit, "count", "How many records match", options);
  add_filter(counter, options->filter);
  counter.set_action([options] { return count(*options); });

  Command exporter =
      add(audit, "export", "Write records as lines of JSON; all of them, for import, or a selection", options);
  exporter.add_option("-o,--output", options->output, "a file (default: standard output)").names_file();
  add_filter(exporter, options->filter);
  exporter.set_action([options] { return export_log(*options); });
}

}  // namespace

void add_audit(Command parent) {
  auto options = std::make_shared<Options>();
  Command audit = parent.add_command("audit", "Read, verify and keep the record of what was decided and done");
  audit.require_command();
  audit.set_footer(
      "Exit codes: 0 done, 1 the record or the proof is not intact (verify, check-proof, import), 2 no database "
      "or wrong usage.");
  add_readers(audit, options);

  Command verifier =
      add(audit, "verify", "Recompute hashes and checkpoints; name the first record that does not fit", options);
  verifier.add_option("--key", options->keys, "a public key, or its file: every checkpoint must be signed with it")
      .names_file();
  verifier.add_option("--checkpoint", options->checkpoints, "a file of checkpoints that was kept elsewhere")
      .names_file();
  verifier.add_option("--unsigned-tail", options->unsigned_tail,
                      "with --key: records after the last checkpoint that are accepted (the log is in use)");
  verifier.add_flag("--json", options->json, "print one JSON object");
  verifier.set_action([options] { return verify(*options); });
  add_audit_keepers(audit);
}

}  // namespace ordain::cli
