package main

import (
	"path/filepath"
	"strings"

	"github.com/google/cel-go/cel"
)

// prepareCel compiles one expression for each rule. CEL has no rules: the host tries the denials, then what allows, and
// stops at the first that is true. Variables are bound before.
func prepareCel(directory string, requests []request) engine {
	environment, err := cel.NewEnv(
		cel.Variable("department", cel.StringType),
		cel.Variable("roles", cel.ListType(cel.StringType)),
		cel.Variable("action", cel.StringType),
		cel.Variable("sensitivity", cel.IntType),
		cel.Variable("type", cel.StringType),
	)
	demand(err)
	var denials, allowances []cel.Program
	for _, line := range strings.Split(strings.TrimSpace(read(filepath.Join(directory, "rules.cel"))), "\n") {
		effect, expression, _ := strings.Cut(line, "\t")
		tree, issues := environment.Compile(expression)
		demand(issues.Err())
		program, err := environment.Program(tree, cel.EvalOptions(cel.OptOptimize))
		demand(err)
		if effect == "deny" {
			denials = append(denials, program)
		} else {
			allowances = append(allowances, program)
		}
	}

	activations := make([]cel.Activation, len(requests))
	for i, one := range requests {
		activations[i], err = cel.NewActivation(map[string]any{
			"department":  one.department,
			"roles":       one.roles,
			"action":      one.action,
			"sensitivity": one.sensitivity,
			"type":        one.kind,
		})
		demand(err)
	}
	anyHolds := func(programs []cel.Program, facts cel.Activation) bool {
		for _, program := range programs {
			value, _, err := program.Eval(facts)
			demand(err)
			if value.Value() == true {
				return true
			}
		}
		return false
	}
	return func(i int) bool { return !anyHolds(denials, activations[i]) && anyHolds(allowances, activations[i]) }
}
