// ordain audit import, rotate, prune, prove and check-proof: keeps the audit log, and proves single records.
#include <fstream>

#include "cli/audit_commands.h"
#include "cli/input.h"
#include "cli/key_options.h"
#include "cli/replace_file.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "ordain/audit.h"

namespace ordain::cli {
namespace {

struct Options {
  std::string database, input, output, key, checkpoints;
  std::vector<std::string> keys;
  uint64_t record = 0;
  size_t keep = 0;
  bool json = false;
};

Result<std::optional<PrivateKey>> signer(const Options& options) {
  if (options.key.empty()) return std::optional<PrivateKey>();
  auto key = PrivateKey::load(options.key);
  if (!key) return key.error();
  return std::optional<PrivateKey>(*key);
}

int import_log(const Options& options) {
  auto input = Input::open(options.input);
  if (!input) return fail(input.error());
  auto imported = import_audit(options.database, [&](std::string* line) { return input->next_line(line); });
  if (!imported) {
    const std::string& code = imported.error().code;
    return fail(imported.error(), code == "bad_line" || code == "bad_record" ? kFindings : kUsage);
  }
  if (auto read = input->check_read(); !read) return fail(read.error());
  print_out("{} records imported: intact\n", *imported);
  return kOk;
}

int rotate(const Options& options) {
  auto key = signer(options);
  if (!key) return fail(key.error());
  auto rotated = rotate_audit(options.database, *key, options.checkpoints);
  if (!rotated) return fail(rotated.error());
  print_out("{}\n", *rotated ? "the segment is sealed; records go to the next" : "nothing to seal");
  return kOk;
}

int prune(const Options& options) {
  auto key = signer(options);
  if (!key) return fail(key.error());
  auto pruned = prune_audit(options.database, options.keep, *key);
  if (!pruned) return fail(pruned.error());
  print_out("{} removed; the log begins with record {}\n", count_text(pruned->segments, "segment"), pruned->first);
  return kOk;
}

int prove(const Options& options) {
  auto log = AuditLog::open(options.database);
  if (!log) return fail(log.error());
  auto proof = log->prove(options.record);
  if (!proof) return fail(proof.error(), proof.error().code == "bad_record" ? kFindings : kUsage);
  if (options.output.empty()) {
    write_out(*proof);
    return kOk;
  }
  const Result<void> kept = write_file(options.output, *proof);
  return kept ? kOk : fail(kept.error());
}

int check_proof(const Options& options) {
  auto keys = read_public_keys(options.keys);
  if (!keys) return fail(keys.error());
  std::ifstream in(options.input, std::ios::binary);
  if (!in) return fail({"unreadable", "cannot read " + options.input});
  auto proven = check_audit_proof(std::string{std::istreambuf_iterator<char>(in), {}}, *keys);
  if (!proven) return fail({"bad_proof", "the proof does not hold: " + proven.error().message}, kFindings);
  if (options.json) {
    write_out(to_json(proven->record) + "\n");
  } else {
    print_out("record {} is among the {} of {}; {}\n{}\n", proven->record.id, proven->size, proven->origin,
              proven->is_signed ? "the signature is good" : "the signature was not checked (no --key)",
              to_json(proven->record));
  }
  return kOk;
}

void add_key(Command command, const std::shared_ptr<Options>& options) {
  command.add_option("--key", options->key, "the operator's private key file").names_file();
}

void add_proofs(Command audit, const std::shared_ptr<Options>& options) {
  Command prover = audit.add_command("prove", "Write a proof that one record is in the signed log");
  prover.add_option("id", options->record, "the record").required();
  add_database_option(prover, options->database);
  prover.add_option("-o,--output", options->output, "a file (default: standard output)").names_file();
  prover.set_action([options] { return prove(*options); });

  Command checker = audit.add_command("check-proof", "Check a proof by itself, without the log, and show its record");
  checker.add_option("file", options->input, "the proof").names_file().required();
  checker.add_option("--key", options->keys, "a public key, or its file: the checkpoint must be signed with it")
      .names_file();
  checker.add_flag("--json", options->json, "print the record as JSON, nothing else");
  checker.set_action([options] { return check_proof(*options); });
}

}  // namespace

void add_audit_keepers(Command audit) {
  auto options = std::make_shared<Options>();
  Command importer = audit.add_command("import", "Make a log from the lines of an unfiltered export");
  importer.add_option("file", options->input, "the export, or - for standard input").names_file().required();
  add_database_option(importer, options->database, "the database directory; must hold no log");
  importer.set_action([options] { return import_log(*options); });

  Command rotator = audit.add_command("rotate", "Seal the current segment, index sealed ones, begin the next");
  add_database_option(rotator, options->database);
  add_key(rotator, options);
  rotator.add_option("--checkpoint", options->checkpoints, "append the checkpoint to this file too").names_file();
  rotator.set_action([options] { return rotate(*options); });

  Command pruner = audit.add_command("prune", "Remove the oldest sealed segments; the rest still verifies");
  add_database_option(pruner, options->database);
  pruner.add_option("--keep", options->keep, "how many sealed segments remain").required();
  add_key(pruner, options);
  pruner.set_action([options] { return prune(*options); });
  add_proofs(audit, options);
}

}  // namespace ordain::cli
