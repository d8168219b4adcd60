package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// TestContract_OnlyGrows compares the contract with the published one. An incompatible change
// needs a new contract, with another package and file name.
func TestContract_OnlyGrows(t *testing.T) {
	now, err := compile(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, broken := range breaks(mustBaseline(t), now) {
		t.Error(broken)
	}
}

func mustBaseline(t testing.TB) *descriptorpb.FileDescriptorProto {
	t.Helper()
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(mustRead(t, baselineFile), &set); err != nil || len(set.File) != 1 {
		t.Fatalf("%d files, %v", len(set.File), err)
	}
	return set.File[0]
}

// breaks returns the promises of old that new does not keep.
func breaks(old, new *descriptorpb.FileDescriptorProto) (all []string) {
	if old.GetPackage() != new.GetPackage() || old.GetSyntax() != new.GetSyntax() {
		all = append(all, fmt.Sprintf("package or syntax was %s, %s", old.GetPackage(), old.GetSyntax()))
	}
	all = append(all, enumBreaks(old.GetPackage(), old.EnumType, new.EnumType)...)
	return append(all, messageBreaks(old.GetPackage(), old.MessageType, new.MessageType)...)
}

func messageBreaks(within string, old, new []*descriptorpb.DescriptorProto) (all []string) {
	for _, o := range old {
		name := within + "." + o.GetName()
		i := slices.IndexFunc(new, func(n *descriptorpb.DescriptorProto) bool { return n.GetName() == o.GetName() })
		if i < 0 {
			all = append(all, name+" is gone")
			continue
		}
		all = append(all, fieldBreaks(name, o, new[i])...)
		all = append(all, enumBreaks(name, o.EnumType, new[i].EnumType)...)
		all = append(all, messageBreaks(name, o.NestedType, new[i].NestedType)...)
	}
	return all
}

func fieldBreaks(message string, old, new *descriptorpb.DescriptorProto) (all []string) {
	for _, f := range old.Field {
		i := slices.IndexFunc(new.Field, func(n *descriptorpb.FieldDescriptorProto) bool { return n.GetNumber() == f.GetNumber() })
		if i < 0 {
			all = append(all, fmt.Sprintf("%s.%s = %d is gone", message, f.GetName(), f.GetNumber()))
			continue
		}
		if was, is := fieldText(old, f), fieldText(new, new.Field[i]); was != is {
			all = append(all, fmt.Sprintf("%s: was %q, is %q", message, was, is))
		}
	}
	return all
}

// fieldText returns everything about a field on which other programs depend.
func fieldText(m *descriptorpb.DescriptorProto, f *descriptorpb.FieldDescriptorProto) string {
	oneof := ""
	if f.OneofIndex != nil {
		oneof = " in " + m.OneofDecl[f.GetOneofIndex()].GetName()
	}
	return strings.Join([]string{f.GetLabel().String(), f.GetType().String(), f.GetTypeName(),
		f.GetName(), fmt.Sprint(f.GetNumber()), f.GetJsonName(), f.GetOptions().String(), fmt.Sprint(f.GetProto3Optional())}, " ") + oneof
}

func enumBreaks(within string, old, new []*descriptorpb.EnumDescriptorProto) (all []string) {
	for _, o := range old {
		name := within + "." + o.GetName()
		i := slices.IndexFunc(new, func(n *descriptorpb.EnumDescriptorProto) bool { return n.GetName() == o.GetName() })
		if i < 0 {
			all = append(all, name+" is gone")
			continue
		}
		for _, v := range o.Value {
			if !slices.ContainsFunc(new[i].Value, func(n *descriptorpb.EnumValueDescriptorProto) bool {
				return n.GetName() == v.GetName() && n.GetNumber() == v.GetNumber()
			}) {
				all = append(all, fmt.Sprintf("%s: %s = %d is gone or another", name, v.GetName(), v.GetNumber()))
			}
		}
	}
	return all
}

func TestBreaks_AreFound(t *testing.T) {
	type file = descriptorpb.FileDescriptorProto
	message := func(f *file, name string) *descriptorpb.DescriptorProto {
		for _, m := range f.MessageType {
			if m.GetName() == name {
				return m
			}
		}
		t.Fatalf("no %s", name)
		return nil
	}
	for name, change := range map[string]func(f *file){
		"message removed":  func(f *file) { f.MessageType = f.MessageType[1:] },
		"message renamed":  func(f *file) { message(f, "SignIn").Name = proto.String("LogIn") },
		"field removed":    func(f *file) { m := message(f, "SignIn"); m.Field = m.Field[:8] },
		"field renumbered": func(f *file) { message(f, "SignIn").Field[8].Number = proto.Int32(20) },
		"field renamed":    func(f *file) { message(f, "SignIn").Field[0].Name = proto.String("v") },
		"field retyped":    func(f *file) { message(f, "Ping").Field[0].Type = descriptorpb.FieldDescriptorProto_TYPE_INT64.Enum() },
		"field repeated": func(f *file) {
			message(f, "Ping").Field[0].Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
		},
		"field out of oneof": func(f *file) { message(f, "ClientFrame").Field[0].OneofIndex = nil },
		"field into oneof": func(f *file) {
			m := message(f, "Ping")
			m.Field[0].OneofIndex = proto.Int32(0)
			m.OneofDecl = []*descriptorpb.OneofDescriptorProto{{Name: proto.String("o")}}
		},
		"field unpacked": func(f *file) {
			message(f, "SelectRefused").Field[2].Options = &descriptorpb.FieldOptions{Packed: proto.Bool(false)}
		},
		"enum removed":     func(f *file) { f.EnumType = f.EnumType[1:] },
		"nested enum gone": func(f *file) { message(f, "World").EnumType = nil },
		"nested message":   func(f *file) { message(f, "Characters").NestedType = nil },
		"value removed":    func(f *file) { f.EnumType[0].Value = f.EnumType[0].Value[:5] },
		"value renumbered": func(f *file) { f.EnumType[0].Value[5].Number = proto.Int32(99) },
		"package renamed":  func(f *file) { f.Package = proto.String("gatepass.v2") },
	} {
		changed := proto.Clone(mustBaseline(t)).(*file)
		change(changed)
		if len(breaks(mustBaseline(t), changed)) == 0 {
			t.Errorf("%s: not found", name)
		}
	}
	grown := proto.Clone(mustBaseline(t)).(*file)
	m := message(grown, "Ping")
	more := proto.Clone(m.Field[0]).(*descriptorpb.FieldDescriptorProto)
	more.Name, more.Number = proto.String("more"), proto.Int32(2)
	m.Field = append(m.Field, more)
	grown.EnumType[0].Value = append(grown.EnumType[0].Value, &descriptorpb.EnumValueDescriptorProto{Name: proto.String("RESULT_NEW"), Number: proto.Int32(99)})
	grown.MessageType = append(grown.MessageType, &descriptorpb.DescriptorProto{Name: proto.String("New")})
	if b := breaks(mustBaseline(t), grown); len(b) != 0 {
		t.Errorf("additions are taken for breaks: %v", b)
	}
}
