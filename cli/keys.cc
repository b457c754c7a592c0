// ordain keys: makes the operator's keys, and prints public ones.
#include "ordain/keys.h"

#include <fmt/format.h>

#include <filesystem>

#include "cli/command.h"
#include "cli/replace_file.h"
#include "cli/terminal.h"

namespace ordain::cli {
namespace {

struct Options {
  std::string directory = ".";
  std::string name = "operator";
};

int init(const Options& options) {
  namespace fs = std::filesystem;
  const fs::path directory = options.directory;
  std::error_code failed;
  if (fs::create_directories(directory, failed)) {
    fs::permissions(directory, fs::perms::owner_all, failed);
  }
  if (failed) return fail({"unwritable", fmt::format("{}: {}", options.directory, failed.message())});
  const std::string secret = (directory / "operator.key").string();
  const std::string open = (directory / "operator.pub").string();
  const std::string digests = (directory / "digest.key").string();
  for (const std::string& path : {secret, open, digests}) {
    if (fs::exists(fs::symlink_status(path))) {
      return fail({"key_exists", path + " exists already; keys are never overwritten"});
    }
  }
  auto key = PrivateKey::generate(options.name);
  if (!key) return fail(key.error());
  if (auto saved = key->save(secret); !saved) return fail(saved.error());
  if (auto saved = DigestKey::generate().save(digests); !saved) return fail(saved.error());
  if (auto written = write_file(open, key->public_key().text() + "\n"); !written) return fail(written.error());
  print_out("{}\n", key->public_key().text());
  print_error(
      "{}: the private key; keep it from agents\n{}: the public key, printed above\n{}: for digests of redacted "
      "values\n",
      secret, open, digests);
  return kOk;
}

int show(const std::string& path) {
  auto key = PrivateKey::load(path);
  if (!key) return fail(key.error());
  print_out("{}\n", key->public_key().text());
  return kOk;
}

}  // namespace

void add_keys(Command parent) {
  auto options = std::make_shared<Options>();
  Command keys = parent.add_command("keys", "Make the keys that sign checkpoints");
  keys.require_command();
  keys.set_footer("Exit codes: 0 done, 2 a file exists already, cannot be written, or others could read it.");

  Command maker = keys.add_command("init", "Make operator.key, operator.pub and digest.key; print the public key");
  maker.add_option("--dir", options->directory, "where; made if missing").names_directory().show_default();
  maker.add_option("--name", options->name, "the key's name: printable ASCII without spaces and '+'").show_default();
  maker.set_action([options] { return init(*options); });

  auto path = std::make_shared<std::string>();
  Command shower = keys.add_command("show", "Print the public key of a private one");
  shower.add_option("file", *path, "operator.key").names_file().required();
  shower.set_action([path] { return show(*path); });
}

}  // namespace ordain::cli
