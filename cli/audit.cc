// ordain audit: reads the record, checks it, and hands it on.
#include "ordain/audit.h"

#include <fmt/format.h>

#include <fstream>
#include <iostream>

#include "cli/command.h"
#include "cli/terminal.h"
#include "ordain/approvals.h"
#include "ordain/handlers.h"

namespace ordain::cli {
namespace {

struct Options {
  std::string database;
  size_t count = 20;
  std::string output;
  bool json = false;
};

int fail(const Error& error) {
  complain(error.message);
  return kUsage;
}

// What happened, in a few words.
std::string happened(const AuditRecord& record) {
  if (record.kind == RecordKind::outcome) return std::string(to_string(record.status));
  if (record.kind == RecordKind::lost) return fmt::format("{} records lost", record.lost.size());
  return fmt::format("{}{}", record.observed ? "would_" : "", to_string(record.effect));
}

int tail(const Options& options) {
  auto log = AuditLog::open(options.database);
  if (!log) return fail(log.error());
  auto records = log->tail(options.count);
  if (!records) return fail(records.error());
  if (options.json) {
    for (const AuditRecord& record : *records) fmt::print("{}\n", to_json(record));
    return kOk;
  }
  fmt::print("{:>6}  {:<24} {:<8} {:<18} {:<28} {:<14} {:<28} {}\n", "id", "time", "kind", "what", "capability",
             "agent", "rule", "reason");
  for (const AuditRecord& record : *records) {
    fmt::print("{:>6}  {:<24} {:<8} {:<18} {:<28} {:<14} {:<28} {}\n", record.id,
               format_time(record.time_ns / 1'000'000 * 1'000'000), to_string(record.kind), happened(record),
               terminal_text(record.capability), terminal_text(record.agent),
               record.rule.empty() ? (record.cause.empty() ? "-" : record.cause) : record.rule,
               terminal_text(record.error.empty() ? record.reason : record.error));
  }
  return kOk;
}

int verify(const Options& options) {
  auto log = AuditLog::open(options.database);
  if (!log) return fail(log.error());
  auto found = log->verify();
  if (!found) return fail(found.error());
  if (options.json) {
    std::string problem;
    append_json_string(problem, found->problem);
    fmt::print("{{\"ok\": {}, \"records\": {}, \"chains\": {}, \"bad_record\": {}, \"problem\": {}}}\n", found->ok,
               found->records, found->chains, found->ok ? "null" : fmt::format("{}", found->bad_record),
               found->ok ? "null" : problem);
  } else if (found->ok) {
    fmt::print("{} records in {} chain{}: intact\n", found->records, found->chains, found->chains == 1 ? "" : "s");
  } else {
    fmt::print("record {}: {}\n{} records before it are intact\n", found->bad_record, found->problem, found->records);
  }
  return found->ok ? kOk : kFindings;
}

int export_log(const Options& options) {
  auto log = AuditLog::open(options.database);
  if (!log) return fail(log.error());
  std::ofstream file;
  if (!options.output.empty()) {
    file.open(options.output, std::ios::binary | std::ios::trunc);
    if (!file) return fail({"unwritable", "cannot write " + options.output});
  }
  std::ostream& out = options.output.empty() ? std::cout : file;
  auto written = log->export_jsonl([&](std::string_view line) {
    out << line << '\n';
    return out.good();
  });
  out.flush();
  if (!written) return fail(written.error());
  if (!out.good()) return fail({"unwritable", "writing stopped after some records: no room?"});
  if (!options.output.empty()) fmt::print(stderr, "{} records written to {}\n", *written, options.output);
  return kOk;
}

}  // namespace

void add_audit(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* audit = app.add_subcommand("audit", "Read, verify and export the record of what was decided and done");
  audit->require_subcommand(1);
  audit->footer("Exit codes: 0 done, 1 the record is not intact (verify), 2 no database or wrong usage.");
  auto add = [&](const char* name, const char* about) {
    CLI::App* command = audit->add_subcommand(name, about);
    command->add_option("--db", options->database, "the database directory")->required();
    return command;
  };

  CLI::App* tailer = add("tail", "The last records, oldest first");
  tailer->add_option("-n,--count", options->count, "how many")->capture_default_str();
  tailer->add_flag("--json", options->json, "print one JSON object a line");
  tailer->callback([options, &action] { action = [options] { return tail(*options); }; });

  CLI::App* verifier = add("verify", "Recompute the hash chain; name the first record that does not fit");
  verifier->add_flag("--json", options->json, "print one JSON object");
  verifier->callback([options, &action] { action = [options] { return verify(*options); }; });

  CLI::App* exporter = add("export", "Write every record as a line of JSON");
  exporter->add_option("-o,--output", options->output, "a file (default: standard output)");
  exporter->callback([options, &action] { action = [options] { return export_log(*options); }; });
}

}  // namespace ordain::cli
