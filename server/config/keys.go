package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
)

// typeAt gives the type behind a key of the file; it panics on one that Config
// lacks, which the test of the settings table rules out.
func typeAt(key string) reflect.Type {
	t, ok := lookup(reflect.TypeFor[Config](), key)
	if !ok {
		panic("config: no key " + key)
	}
	return t
}

// lookup follows key, which may hold list indices, from t.
func lookup(t reflect.Type, key string) (reflect.Type, bool) {
	if key == "" {
		return t, true
	}
	for part := range strings.SplitSeq(key, ".") {
		name, index, _ := strings.Cut(part, "[")
		switch t.Kind() {
		case reflect.Struct:
			f, ok := field(t, name)
			if !ok {
				return nil, false
			}
			t = f.Type
		case reflect.Map:
			t = t.Elem()
		default:
			return nil, false
		}
		if index != "" && t.Kind() == reflect.Slice {
			t = t.Elem()
		}
	}
	return t, true
}

func field(t reflect.Type, name string) (reflect.StructField, bool) {
	for f := range t.Fields() {
		if f.Tag.Get("yaml") == name {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

// section tells whether t is a mapping with keys of its own rather than a value.
func section(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && !readsText(t)
}

// readsText tells whether a value of t is written as one text.
func readsText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// keysOf lists the keys a mapping at t may have, in the order of the file.
func keysOf(t reflect.Type) []string {
	var names []string
	for f := range t.Fields() {
		names = append(names, f.Tag.Get("yaml"))
	}
	return names
}

// textAt gives the value behind key as text, lists separated by commas.
func textAt(c *Config, key string) string {
	v := reflect.ValueOf(valueAt(c, key))
	if v.Kind() == reflect.Map {
		return "" // only the file can say it
	}
	if v.Kind() == reflect.Slice {
		if v.Type().Elem().Kind() == reflect.Struct {
			return ""
		}
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = fmt.Sprint(v.Index(i).Interface())
		}
		return strings.Join(parts, ",")
	}
	return fmt.Sprint(v.Interface())
}

// Differences lists the keys whose values differ, in the order of the file.
func Differences(a, b Config) []string {
	var keys []string
	for _, s := range settings {
		if !reflect.DeepEqual(valueAt(&a, s.Key), valueAt(&b, s.Key)) {
			keys = append(keys, s.Key)
		}
	}
	return keys
}

func valueAt(c *Config, key string) any {
	v := reflect.ValueOf(c).Elem()
	for part := range strings.SplitSeq(key, ".") {
		f, ok := field(v.Type(), part)
		if !ok {
			panic("config: no key " + key)
		}
		v = v.FieldByIndex(f.Index)
	}
	return v.Interface()
}
