// Annotations are expectations inside policy files:
//
//   //> {"capability": "pay", "input": {"amount": 5}}      an event for `ordain eval`
//   //= allow by payments.small                            the answer of all evaluators to it
//   //! 3:12 error unknown-field                           a diagnostic of compiling the file
#pragma once

#include <string>
#include <vector>

namespace ordain {

struct Expectation {
  size_t event_line = 0;  ///< index of the `//>` line in `lines`
  std::string event;
  std::string verdict;  ///< of the `//=` line that follows; "" if there is none
  bool has_verdict = false;
};

struct AnnotatedFile {
  std::string path;
  std::vector<std::string> lines;
  std::vector<Expectation> expectations;
  std::vector<std::string> diagnostics;  ///< of the `//!` lines, sorted

  std::string text() const;  ///< the file as it is on disk
};

AnnotatedFile read_annotated(const std::string& path);
AnnotatedFile parse_annotated(const std::string& path, const std::string& text);

/// Rewrites the file with these verdicts (one for each expectation) and diagnostics in place of its own.
void update(const AnnotatedFile& file, const std::vector<std::string>& verdicts,
            const std::vector<std::string>& diagnostics);

/// @returns all *.policy files below a directory, sorted
std::vector<std::string> policy_files(const std::string& directory);

}  // namespace ordain
