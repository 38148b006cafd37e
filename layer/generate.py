#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the layer's dispatch from the Vulkan registry that is installed.

Usage: generate.py REGISTRY CALLS.LIST OUTPUT.h OUTPUT.c
       generate.py --check REGISTRY CALLS.LIST

CALLS.LIST says which calls the layer has an own function for ("hook"), and which it only
makes ("down"). A call that this registry does not know is left out, and C code asks for it
with #ifdef GSL_HAS_<name>; one that it has under an older, vendor's name (vkMapMemory2KHR)
is taken for it. Calls that give out a memoryTypeBits are found in the registry, and get a
function that translates it; so are draws, dispatches and traces of rays, which use what is
bound and read their indirect arguments; commands that are given addresses, or run generated
commands; and calls that bind memory to objects that the layer does not follow.

--check looks for members of structures that carry memory types, in calls or chains that
neither the list nor this program knows: what a new extension brings.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree

VENDORS = ('KHR', 'EXT', 'NV', 'AMD', 'ARM', 'QCOM', 'INTEL', 'VALVE')
TYPE_MEMBERS = ('memoryTypeBits', 'memoryTypeIndex', 'memoryTypes')


def is_ours(element):
    """Whether it is of Vulkan, not of Vulkan SC alone."""
    return 'vulkan' in element.get('api', 'vulkan').split(',')


class Parameter:
    def __init__(self, element):
        self.text = ' '.join(''.join(
            part for part in self.pieces(element)).split())
        self.type = element.find('type').text
        self.name = element.find('name').text
        self.length = element.get('len', '')
        pointer = self.text.split(self.type, 1)[1]
        self.is_pointer = '*' in pointer
        self.is_const = self.text.startswith('const ')

    @staticmethod
    def pieces(element):
        yield element.text or ''
        for child in element:
            if child.tag != 'comment':
                yield child.text or ''
            yield child.tail or ''


class Command:
    def __init__(self, element):
        proto = element.find('proto')
        self.result = proto.find('type').text
        self.name = proto.find('name').text
        self.parameters = [Parameter(param) for param in element.findall('param')
                           if is_ours(param)]
        self.names = [self.name]

    @property
    def is_device(self):
        return self.parameters[0].type in ('VkDevice', 'VkQueue', 'VkCommandBuffer')

    @property
    def declaration(self):
        return ', '.join(parameter.text for parameter in self.parameters)

    @property
    def arguments(self):
        return ', '.join(parameter.name for parameter in self.parameters)


class Registry:
    def __init__(self, path):
        root = ElementTree.parse(path).getroot()
        self.commands = {}
        aliases = []
        for element in root.findall('commands/command'):
            if not is_ours(element):
                continue
            if element.get('alias'):
                aliases.append((element.get('name'), element.get('alias')))
            else:
                command = Command(element)
                self.commands[command.name] = command
        for name, target in aliases:
            if target in self.commands:
                self.commands[target].names.append(name)
        self.structs = {}
        self.extends = {}
        for element in root.findall('types/type'):
            if element.get('category') in ('struct', 'union') and is_ours(element):
                self.structs[element.get('name')] = [
                    (Parameter(member)) for member in element.findall('member')
                    if is_ours(member)]
                self.extends[element.get('name')] = element.get('structextends', '')
        self.formats = [self.block_of(element) for element in root.findall('formats/format')
                        if element.find('plane') is None]
        self.find_elsewhere(root)

    @staticmethod
    def block_of(element):
        """Name, bytes, width and height of the block that a texel of a format is in."""
        extent = element.get('blockExtent', '1,1,1').split(',')
        return element.get('name'), element.get('blockSize'), extent[0], extent[1]

    def find_elsewhere(self, root):
        """Commands that only other systems' headers declare, or none."""
        declared = set()
        self.elsewhere = set()
        for element in root.findall('feature') + root.findall('extensions/extension'):
            names = {command.get('name') for command in element.iter('command')}
            supported = element.get('supported', element.get('api', 'vulkan')).split(',')
            if element.get('platform') or 'vulkan' not in supported:
                self.elsewhere |= names
            else:
                declared |= names
        self.elsewhere -= declared
        for command in self.commands.values():
            if command.name not in declared:
                known = [name for name in command.names if name in declared]
                if known:
                    command.name = known[0]
            command.names = [name for name in command.names if name in declared]

    def find(self, name):
        """The command of that name, or what it was called before it was promoted."""
        for candidate in [name] + [name + vendor for vendor in VENDORS]:
            command = self.commands.get(candidate)
            if command and command.names:
                return command
        return None

    def bits_paths(self, struct):
        """How to get from a structure to each memoryTypeBits that is inside it."""
        for member in self.structs.get(struct, []):
            if member.name == 'memoryTypeBits':
                yield member.name
            elif not member.is_pointer and member.type in self.structs:
                for path in self.bits_paths(member.type):
                    yield member.name + '.' + path

    def bits_parameters(self, command):
        for parameter in command.parameters:
            if parameter.is_pointer and not parameter.is_const:
                for path in self.bits_paths(parameter.type):
                    yield parameter, path


class Call:
    """A row of the list, with what the registry says of it."""

    def __init__(self, key, command, hooked, write=None):
        self.key = key                  # without vk
        self.command = command
        self.hooked = hooked
        self.write = write              # writes its function; None: it is by hand

    @property
    def level(self):
        return 'device' if self.command.is_device else 'instance'


def read_list(path, registry):
    calls = {}
    for line in open(path, encoding='utf-8'):
        words = line.split('#')[0].split()
        if not words:
            continue
        kind, name = words
        command = registry.find(name)
        if command:
            calls[name[2:]] = Call(name[2:], command, kind == 'hook')
    handled = {call.command.name for call in calls.values()}
    for command in registry.commands.values():
        write = writer(command, registry)
        if command.names and command.name not in handled and write:
            key = command.name[2:]
            calls[key] = Call(key, command, True, write)
    return calls


# ---- What is written ----

HEAD = '/* Made by generate.py from the Vulkan registry. */\n'


def header(calls):
    lines = [HEAD, '#ifndef GSL_CALLS_H', '#define GSL_CALLS_H', '',
             '#include <vulkan/vulkan.h>', '#include <vulkan/vk_layer.h>', '']
    for call in calls.values():
        lines.append(f'#define GSL_HAS_{call.key} 1')
    for level in ('instance', 'device'):
        lines += ['', f'struct gsl_{level}_calls {{']
        lines += [f'\tPFN_{call.command.name} {call.key};' for call in calls.values()
                  if call.level == level]
        lines.append('};')
    lines += ['', '/* Look up what the next layer, or the driver, has for each call; NULL if none. */',
              'void gsl_instance_calls_load(struct gsl_instance_calls *calls, VkInstance instance,',
              '\t\t\t     PFN_vkGetInstanceProcAddr next);',
              'void gsl_device_calls_load(struct gsl_device_calls *calls, VkDevice device,',
              '\t\t\t   PFN_vkGetDeviceProcAddr next);', '',
              '/* The layer\'s own function for a call, or NULL. */',
              'struct gsl_hook {', '\tconst char *name;', '\tPFN_vkVoidFunction function;',
              '\tbool device;\t/* of a device, a queue or a command buffer */', '};', '',
              'const struct gsl_hook *gsl_hook_find(const char *name);', '',
              '/* The block of texels of a format: bytes, and texels. */',
              'struct gsl_block {', '\tunsigned int bytes;\t/* 0: not known, or of several planes */',
              '\tunsigned int width;', '\tunsigned int height;', '};', '',
              'struct gsl_block gsl_block_of(VkFormat format);', '']
    for call in calls.values():
        if call.hooked:
            lines.append(f'VKAPI_ATTR {call.command.result} VKAPI_CALL '
                         f'gsl_{call.key}({call.command.declaration});')
    return '\n'.join(lines + ['', '#endif', ''])


def translator(call, registry):
    """The function of a call that gives out memoryTypeBits."""
    command = call.command
    first = command.parameters[0]
    result = command.result != 'void'
    lines = [f'VKAPI_ATTR {command.result} VKAPI_CALL gsl_{call.key}({command.declaration})', '{',
             f'\tstruct gsl_device *gsl = gsl_device_of({first.name});']
    if result:
        lines.append(f'\t{command.result} result;')
    lines += ['', f'\t{"result = " if result else ""}gsl->calls.{call.key}({command.arguments});']
    for parameter, path in registry.bits_parameters(command):
        names = {p.name: p for p in command.parameters}
        count = names.get(parameter.length)
        if not count:
            lines.append(f'\tgsl_device_translate_bits(gsl, &{parameter.name}->{path});')
            continue
        star = '*' if count.is_pointer else ''
        lines += [f'\tfor (uint32_t i = 0; {parameter.name} && i < {star}{count.name}; i++)',
                  f'\t\tgsl_device_translate_bits(gsl, &{parameter.name}[i].{path});']
    if result:
        lines.append('\treturn result;')
    return '\n'.join(lines + ['}', ''])


WORK = (('CmdDraw', 'GSL_GRAPHICS'), ('CmdDispatch', 'GSL_COMPUTE'), ('CmdTraceRays', 'GSL_RAYS'),
        ('CmdBuildAccelerationStructures', 'GSL_RAYS'))

# Of names that have these, how long the arguments of an indirect draw or dispatch are.
ARGUMENTS = (('DrawIndexedIndirect', 20), ('DrawIndirectByteCount', 0), ('DrawIndirect', 16),
             ('DrawMeshTasksIndirect', 12), ('DispatchIndirect', 12))


def work_point(command):
    for start, point in WORK:
        if command.name.startswith('vk' + start) and command.result == 'void':
            return point
    return None


def worker(call, registry):
    """The function of a command that makes shaders run."""
    command = call.command
    names = {parameter.name: parameter for parameter in command.parameters}
    handle = command.parameters[0].name
    sizes = [size for part, size in ARGUMENTS if part in command.name]
    lines = [f'VKAPI_ATTR void VKAPI_CALL gsl_{call.key}({command.declaration})', '{',
             f'\tstruct gsl_device *gsl = gsl_device_of({handle});', '',
             f'\tgsl_commands_work(gsl, {handle}, {work_point(command)});']
    if sizes and sizes[0] and 'buffer' in names and names['buffer'].type == 'VkBuffer':
        count = [name for name in ('drawCount', 'maxDrawCount') if name in names]
        size = f'{sizes[0]}'
        if count:
            lines.append(f'\tif ({count[0]})')
            size = f'({count[0]} - 1) * (u64)stride + {size}'
        reads = 'may_read' if 'countBuffer' in names else 'read'
        lines.append('\t' * (2 if count else 1) +
                     f'gsl_commands_{reads}(gsl, {handle}, buffer, offset, {size});')
    for counter in ('countBuffer', 'counterBuffer'):
        if counter in names:
            lines.append(f'\tgsl_commands_read(gsl, {handle}, {counter}, {counter}Offset, '
                         'sizeof(u32));')
    return '\n'.join(lines + [f'\tgsl->calls.{call.key}({command.arguments});', '}', ''])


def binds_memory(command, registry):
    """The parameter that says which memory is bound, or None."""
    for parameter in command.parameters:
        members = registry.structs.get(parameter.type, [])
        if command.name.startswith('vkBind') and parameter.is_const and \
                any(member.type == 'VkDeviceMemory' for member in members):
            return parameter
    return None


def binder(call, registry):
    """The function of a call that binds memory to what the layer does not follow."""
    command = call.command
    parameter = binds_memory(command, registry)
    first = command.parameters[0].name
    member = [member.name for member in registry.structs[parameter.type]
              if member.type == 'VkDeviceMemory'][0]
    count = parameter.length if parameter.length else '1'
    return '\n'.join([
        f'VKAPI_ATTR {command.result} VKAPI_CALL gsl_{call.key}({command.declaration})', '{',
        f'\tstruct gsl_device *gsl = gsl_device_of({first});', '',
        '\tpthread_mutex_lock(&gsl->lock);',
        f'\tfor (uint32_t i = 0; i < {count}; i++)',
        f'\t\tgsl_memory_set_opaque(gsl, {parameter.name}[i].{member});',
        '\tpthread_mutex_unlock(&gsl->lock);',
        f'\treturn gsl->calls.{call.key}({command.arguments});', '}', ''])


ADDRESSES = ('VkDeviceAddress', 'VkDeviceOrHostAddressKHR', 'VkDeviceOrHostAddressConstKHR')


def has_address(registry, kind, seen=()):
    """Whether a type is an address of the device, or a structure that has one."""
    return kind in ADDRESSES or any(
        has_address(registry, member.type, seen + (kind,))
        for member in registry.structs.get(kind, []) if member.type not in seen + (kind,))


def takes_addresses(command, registry):
    """Whether a command makes the device use memory by its address; binding is no use."""
    if not command.name.startswith('vkCmd') or command.name.startswith(('vkCmdBind', 'vkCmdSet')):
        return False
    return 'GeneratedCommands' in command.name or any(
        has_address(registry, parameter.type) for parameter in command.parameters)


def addresser(call, registry):
    """The function of a command that may use any memory by its address."""
    command = call.command
    handle = command.parameters[0].name
    lines = [f'VKAPI_ATTR {command.result} VKAPI_CALL gsl_{call.key}({command.declaration})', '{',
             f'\tstruct gsl_device *gsl = gsl_device_of({handle});', '']
    if 'GeneratedCommands' in command.name:
        lines += [f'\tgsl_commands_work(gsl, {handle}, {point});'
                  for point in ('GSL_GRAPHICS', 'GSL_COMPUTE', 'GSL_RAYS')]
    lines += [f'\tgsl_commands_use_addresses(gsl, {handle});',
              f'\tgsl->calls.{call.key}({command.arguments});', '}', '']
    return '\n'.join(lines)


def writer(command, registry):
    """What writes the function of a call that needs no row; None if it needs none at all."""
    if any(registry.bits_parameters(command)):
        return translator
    if work_point(command):
        return worker
    if takes_addresses(command, registry):
        return addresser
    return binder if binds_memory(command, registry) else None


def loader(calls, level):
    proc = 'PFN_vkGetInstanceProcAddr' if level == 'instance' else 'PFN_vkGetDeviceProcAddr'
    handle = 'VkInstance' if level == 'instance' else 'VkDevice'
    lines = [f'void gsl_{level}_calls_load(struct gsl_{level}_calls *calls, {handle} {level},',
             f'\t\t{proc} next)', '{']
    for call in calls.values():
        if call.level != level:
            continue
        for i, name in enumerate(call.command.names):
            test = '' if not i else f'if (!calls->{call.key})\n\t\t'
            lines.append(f'\t{test}calls->{call.key} = '
                         f'(PFN_{call.command.name})next({level}, "{name}");')
    return '\n'.join(lines + ['}', ''])


def source(calls, registry):
    lines = [HEAD, '#include <stdlib.h>', '#include <string.h>', '', '#include "layer.h"', '']
    lines += [call.write(call, registry) for call in calls.values() if call.write]
    lines += [loader(calls, 'instance'), loader(calls, 'device')]
    hooks = sorted((name, call) for call in calls.values() if call.hooked
                   for name in call.command.names)
    lines.append('static const struct gsl_hook hooks[] = {')
    for name, call in hooks:
        is_device = 'true' if call.level == 'device' else 'false'
        lines.append(f'\t{{ "{name}", (PFN_vkVoidFunction)gsl_{call.key}, {is_device} }},')
    lines += ['};', '', 'static int compare(const void *name, const void *hook)', '{',
              '\treturn strcmp(name, ((const struct gsl_hook *)hook)->name);', '}', '',
              'const struct gsl_hook *gsl_hook_find(const char *name)', '{',
              '\treturn bsearch(name, hooks, sizeof(hooks) / sizeof(*hooks), sizeof(*hooks), compare);',
              '}', '', 'struct gsl_block gsl_block_of(VkFormat format)', '{', '\tswitch (format) {']
    for name, size, width, height in registry.formats:
        lines += [f'\tcase {name}:',
                  f'\t\treturn (struct gsl_block){{ {size}, {width}, {height} }};']
    lines += ['\tdefault:', '\t\treturn (struct gsl_block){ 0, 1, 1 };', '\t}', '}', '']
    return '\n'.join(lines)


# ---- What a registry has that nobody thought of ----

# Structures that carry memory types and are dealt with by hand, or are none of this layer's.
KNOWN = {
    'VkMemoryAllocateInfo': 'vkAllocateMemory translates it',
    'VkPhysicalDeviceMemoryProperties': 'vkGetPhysicalDeviceMemoryProperties(2) shows them',
}


def check(registry, calls):
    """Prints what is not known. True if there is nothing."""
    by_call = set()
    good = True
    for call in calls.values():
        for parameter, _ in registry.bits_parameters(call.command):
            by_call |= containers(registry, parameter.type)
            if not call.write:
                print(f'{call.command.name} gives out memory types, and has a row')
                good = False
    for name in registry.elsewhere:
        command = registry.commands.get(name)
        for parameter in command.parameters if command else []:
            by_call |= containers(registry, parameter.type)
    for struct, members in sorted(registry.structs.items()):
        carried = [member.name for member in members if member.name in TYPE_MEMBERS]
        if carried and struct not in by_call and struct not in KNOWN:
            print(f'{struct} carries {carried[0]}, and nothing translates it')
            good = False
        if carried and registry.extends[struct]:
            print(f'{struct} carries {carried[0]} in a chain of {registry.extends[struct]}')
            good = False
    return good


def containers(registry, struct):
    """The structure, and those inside it."""
    found = {struct}
    for member in registry.structs.get(struct, []):
        if not member.is_pointer and member.type in registry.structs:
            found |= containers(registry, member.type)
    return found


def main(arguments):
    checking = arguments[0] == '--check'
    if checking:
        arguments = arguments[1:]
    registry = Registry(arguments[0])
    calls = read_list(arguments[1], registry)
    if checking:
        return 0 if check(registry, calls) else 1
    with open(arguments[2], 'w', encoding='utf-8') as output:
        output.write(header(calls))
    with open(arguments[3], 'w', encoding='utf-8') as output:
        output.write(source(calls, registry))
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
