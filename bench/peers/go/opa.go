package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

// prepareOpa prepares the query for the decision. Rules are Rego rules, so OPA's index of rules serves them; inputs are
// OPA's own values already.
func prepareOpa(directory string, requests []request) engine {
	query, err := rego.New(
		rego.Query("data.access.allow"),
		rego.Module("rules.rego", read(filepath.Join(directory, "rules.rego"))),
	).PrepareForEval(context.Background())
	demand(err)

	inputs := make([]ast.Value, len(requests))
	for i, one := range requests {
		inputs[i], err = ast.InterfaceToValue(map[string]any{
			"department":  one.department,
			"roles":       one.roles,
			"action":      one.action,
			"sensitivity": one.sensitivity,
			"type":        one.kind,
		})
		demand(err)
	}
	return func(i int) bool {
		results, err := query.Eval(context.Background(), rego.EvalParsedInput(inputs[i]))
		demand(err)
		if len(results) != 1 {
			demand(fmt.Errorf("%d results", len(results)))
		}
		return results.Allowed()
	}
}
