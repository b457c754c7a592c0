// Patterns of secrets, as scanners of tool outputs look for them: for the benchmark of content scans,
// and for the test that they stay within the budget.
#pragma once

#include <string_view>

namespace ordain::bench {

/// Each can stand in a raw string of the policy language, between single quotes.
inline constexpr std::string_view kSecretPatterns[] = {
    R"(AKIA[0-9A-Z]{16})",
    R"(-----BEGIN [A-Z ]*PRIVATE KEY-----)",
    R"(ghp_[A-Za-z0-9]{36})",
    R"(gho_[A-Za-z0-9]{36})",
    R"(ghs_[A-Za-z0-9]{36})",
    R"(github_pat_[A-Za-z0-9_]{82})",
    R"(glpat-[A-Za-z0-9_-]{20})",
    R"(xox[abprs]-[A-Za-z0-9-]{10,48})",
    R"(sk-[A-Za-z0-9]{48})",
    R"(sk_live_[A-Za-z0-9]{24})",
    R"(rk_live_[A-Za-z0-9]{24})",
    R"(AIza[0-9A-Za-z_-]{35})",
    R"(ya29\.[0-9A-Za-z_-]+)",
    R"(eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,})",
    R"(SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43})",
    R"(key-[0-9a-f]{32})",
    R"(AC[0-9a-f]{32})",
    R"(npm_[A-Za-z0-9]{36})",
    R"(pypi-[A-Za-z0-9_-]{50,})",
    R"(dop_v1_[0-9a-f]{64})",
    R"(hf_[A-Za-z0-9]{34})",
    R"(shpat_[0-9a-fA-F]{32})",
    R"(sq0atp-[0-9A-Za-z_-]{22})",
    R"(EAACEdEose0cBA[0-9A-Za-z]+)",
    R"([0-9]+-[0-9a-z_]{32}\.apps\.googleusercontent\.com)",
    R"(https://hooks\.slack\.com/services/T[A-Z0-9]{8,}/B[A-Z0-9]{8,}/[A-Za-z0-9]{24})",
    R"((?i)aws.{0,20}secret.{0,20}[0-9a-z/+]{40})",
    R"((?i)(api[_-]?key|secret|token)\s*[:=]\s*"?[0-9a-z_-]{16,64})",
    R"([a-z][a-z0-9+.-]*://[^/\s:@]{1,32}:[^/\s:@]{1,32}@)",
    R"(\b[A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]{4}){3,7}\b)",
};

}  // namespace ordain::bench
