// Validates pods as kube-apiserver does when they are created, by Kubernetes' own code: it decodes strictly, fills in the
// defaults, validates, warns, and checks each level of Pod Security.
//
// It reads a pod as JSON from each line of its input, and prints a verdict as JSON for each.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	podutil "k8s.io/kubernetes/pkg/api/pod"
	"k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	"k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/capabilities"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// Verdict is what a line of the output holds.
type verdict struct {
	// Why the API server would refuse the pod. Empty if it would take it.
	Errors []string `json:"errors"`
	// Unknown and duplicate fields.
	Strict []string `json:"strict"`
	// What the API server would warn of.
	Warnings []string `json:"warnings"`
	// The levels of Pod Security that would refuse the pod.
	RefusedBy []string `json:"refusedBy"`
}

var decoder = serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict).UniversalDeserializer()

func judge(line []byte, evaluator policy.Evaluator) verdict {
	result := verdict{Errors: []string{}, Strict: []string{}, Warnings: []string{}, RefusedBy: []string{}}
	pod := &corev1.Pod{}
	if _, _, err := decoder.Decode(line, nil, pod); err != nil {
		strict, ok := runtime.AsStrictDecodingError(err)
		if !ok {
			result.Errors = append(result.Errors, err.Error())
			return result
		}
		for _, one := range strict.Errors() {
			result.Strict = append(result.Strict, one.Error())
		}
	}
	legacyscheme.Scheme.Default(pod)
	internal := &core.Pod{}
	if err := legacyscheme.Scheme.Convert(pod, internal, nil); err != nil {
		result.Errors = append(result.Errors, err.Error())
		return result
	}
	options := podutil.GetValidationOptionsFromPodSpecAndMeta(&internal.Spec, nil, &internal.ObjectMeta, nil)
	options.ResourceIsPod = true
	for _, one := range validation.ValidatePodCreate(internal, options) {
		result.Errors = append(result.Errors, one.Error())
	}
	result.Warnings = append(result.Warnings, podutil.GetWarningsForPod(context.Background(), internal, nil)...)
	for _, level := range []api.Level{api.LevelBaseline, api.LevelRestricted} {
		checks := evaluator.EvaluatePod(api.LevelVersion{Level: level, Version: api.LatestVersion()}, &pod.ObjectMeta, &pod.Spec)
		if !policy.AggregateCheckResults(checks).Allowed {
			result.RefusedBy = append(result.RefusedBy, string(level))
		}
	}
	return result
}

func run() error {
	// As kube-apiserver with --allow-privileged: Pod Security is what forbids it.
	capabilities.Initialize(capabilities.Capabilities{AllowPrivileged: true})
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return err
	}
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 16<<20)
	output := json.NewEncoder(os.Stdout)
	for input.Scan() {
		line := bytes.TrimSpace(input.Bytes())
		if len(line) == 0 {
			continue
		}
		if err := output.Encode(judge(line, evaluator)); err != nil {
			return err
		}
	}
	return input.Err()
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
