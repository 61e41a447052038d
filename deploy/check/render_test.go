package check

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"
)

// blueprint holds a text to render.schema.json, which has what Render documents of
// blueprints for the kinds of service that ours are.
func blueprint(t *testing.T, text []byte) error {
	t.Helper()
	var document, schema any
	asJSON, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return err
	}
	if document, err = jsonschema.UnmarshalJSON(bytes.NewReader(asJSON)); err != nil {
		return err
	}
	if schema, err = jsonschema.UnmarshalJSON(bytes.NewReader(read(t, "deploy", "check", "render.schema.json"))); err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("render.schema.json", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("render.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled.Validate(document)
}

func TestBlueprint(t *testing.T) {
	text := read(t, "deploy", "render", "render.yaml")
	if err := blueprint(t, text); err != nil {
		t.Fatal(err)
	}
	asJSON, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	var b struct {
		Services []struct {
			Disk    struct{ MountPath string }
			EnvVars []struct {
				Key           string
				Value         any // text, or a number
				GenerateValue bool
			}
		}
	}
	if err := json.Unmarshal(asJSON, &b); err != nil || len(b.Services) != 1 {
		t.Fatalf("%+v %v", b, err)
	}
	known := documented(t)
	env, port := []string{"LANGSMITH_API_KEY=ls-key"}, ""
	for _, v := range b.Services[0].EnvVars {
		if !known[v.Key] {
			t.Errorf("%s is no setting", v.Key)
		}
		switch {
		case v.GenerateValue:
			env = append(env, v.Key+"=b25lK29mLzI1Ng==")
		case v.Value != nil:
			env = append(env, fmt.Sprintf("%s=%v", v.Key, v.Value))
		}
		if v.Key == "PORT" {
			port = fmt.Sprint(v.Value)
		}
	}
	// https://render.com/docs/private-network#port-restrictions; without a PORT it is 10000.
	if port == "" || slices.Contains([]string{"10000", "18012", "18013", "19099"}, port) {
		t.Errorf("the backend cannot reach port %q on the private network", port)
	}
	if !bytes.Contains(read(t, "docs", "deploy.md"), []byte("`http://treq-telemetry-2j3e:"+port+"`")) {
		t.Errorf("the documentation sends the backend to another port than %s", port)
	}
	for _, name := range []string{"LANGCHAIN_TRACING_V2", "LANGSMITH_API_KEY", "LANGCHAIN_PROJECT", "CORS_ORIGINS"} {
		if !regexp.MustCompile(`(?m)^\s+- key: ` + name + `$`).Match(text) {
			t.Errorf("the guide's %s is missing", name)
		}
	}
	if err := accepts([]byte("{}\n"), env...); err != nil {
		t.Error(err)
	}
}

// The schema sees mistakes.
func TestBlueprintsThatAreWrong(t *testing.T) {
	good := string(read(t, "deploy", "render", "render.yaml"))
	for from, to := range map[string]string{
		"healthCheckPath: /readyz":                 "healthPath: /readyz",
		"plan: starter":                            "plan: tiny",
		"plan: starter # the free":                 "plan: free # the free",
		"numInstances: 1":                          "numInstances: 2",
		"sizeGB: 10":                               "sizeGB: ten",
		"maxShutdownDelaySeconds: 60":              "maxShutdownDelaySeconds: 600",
		"generateValue: true\n":                    "generateValue: true\n        value: a\n",
		"mountPath: /var/lib/treq-telemetry\n":     "mountPath: var/lib\n",
		"startCommand: bin/treq-telemetry serve\n": "\n",
	} {
		wrong := bytes.Replace([]byte(good), []byte(from), []byte(to), 1)
		if bytes.Equal(wrong, []byte(good)) {
			t.Errorf("%q is not in the blueprint", from)
		} else if err := blueprint(t, wrong); err == nil {
			t.Errorf("%q is taken", to)
		}
	}
}
