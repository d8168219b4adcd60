package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/cmd/protoc-gen-go/internal_gengo"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

const (
	source = "gatepass.proto"
	// module is stripped from go_package, so that names are from the folder on.
	module = "gatepass/codec/native"
	// descriptorFile holds the contract as it is, baselineFile as it was when it was
	// first published; the second is never written by this program.
	descriptorFile = "testdata/gatepass.binpb"
	baselineFile   = "testdata/contract-v1.binpb"
)

// Generate compiles the contract in dir and returns what is made of it, by file name
// from dir on.
func Generate(dir string) (map[string][]byte, error) {
	file, err := compile(dir)
	if err != nil {
		return nil, fmt.Errorf("generate: %w", err)
	}
	files, err := goFiles(file)
	if err != nil {
		return nil, fmt.Errorf("generate: %w", err)
	}
	// The comments are for people and for Go; a descriptor goes without.
	bare := proto.Clone(file).(*descriptorpb.FileDescriptorProto)
	bare.SourceCodeInfo = nil
	set := &descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{bare}}
	if files[descriptorFile], err = (proto.MarshalOptions{Deterministic: true}).Marshal(set); err != nil {
		return nil, fmt.Errorf("generate: %w", err)
	}
	return files, nil
}

// compile reads the contract with its comments.
func compile(dir string) (*descriptorpb.FileDescriptorProto, error) {
	c := protocompile.Compiler{
		Resolver:       &protocompile.SourceResolver{ImportPaths: []string{filepath.Clean(dir)}},
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	files, err := c.Compile(context.Background(), source)
	if err != nil {
		return nil, err
	}
	return protodesc.ToFileDescriptorProto(files[0]), nil
}

// goFiles runs the generator of the protobuf module as protoc would, but in here.
func goFiles(file *descriptorpb.FileDescriptorProto) (map[string][]byte, error) {
	request := &pluginpb.CodeGeneratorRequest{
		FileToGenerate: []string{source},
		Parameter:      proto.String("module=" + module),
		ProtoFile:      []*descriptorpb.FileDescriptorProto{file},
	}
	plugin, err := protogen.Options{}.New(request)
	if err != nil {
		return nil, err
	}
	for _, f := range plugin.Files {
		if f.Generate {
			internal_gengo.GenerateFile(plugin, f)
		}
	}
	response := plugin.Response()
	if response.Error != nil {
		return nil, fmt.Errorf("generator: %s", *response.Error)
	}
	files := map[string][]byte{}
	for _, f := range response.File {
		files[f.GetName()] = []byte(f.GetContent())
	}
	return files, nil
}
